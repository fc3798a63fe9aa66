#include "query/scan.h"

#include <algorithm>
#include <unordered_map>

#include "query/limits.h"
#include "query/scan_pool.h"

namespace kelp::query {
namespace {

// Blocks that the caller decodes before it asks for help: waking a thread takes about as long as
// half a block.
constexpr size_t kBlocksAlone = 2;

BlockFate FateOf(BlockScan::Why why) {
  switch (why) {
    case BlockScan::Why::kWords:
      return BlockFate::kWords;
    case BlockScan::Why::kNoField:
      return BlockFate::kNoField;
    case BlockScan::Why::kValues:
      break;
  }
  return BlockFate::kValues;
}

}  // namespace

Scan::Scan(const store::Snapshot& snapshot, const Query& query, UnixNanos from, UnixNanos to,
           const Limits& limits, bool explain)
    : blocks_(snapshot.blocks()),
      query_(query),
      from_(from),
      to_(to),
      limits_(limits),
      explain_(explain),
      fates_(blocks_.size(), BlockFate::kNotReached) {
  if (limits.progress != nullptr) {
    limits.progress->blocks +=
        static_cast<uint64_t>(std::count_if(blocks_.begin(), blocks_.end(), [&](const auto& block) {
          return block->time_max() >= from && block->time_min() < to && block->rows() != 0;
        }));
  }
  size_t count = 1;
  if (limits.pool != nullptr && limits.threads > 1) {
    count += std::min<size_t>(limits.threads - 1, limits.pool->threads());
  }
  for (size_t i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(query, limits, explain, i));
  }
}

Status Scan::Run(const Visit& visit, const Enough& enough, Range range) {
  range_ = range;
  range_.end = std::min(range.end, blocks_.size());
  next_group_ = 0;
  done_ = false;
  RETURN_IF_ERROR(Work(0, visit, enough, workers_.size() == 1 ? SIZE_MAX : kBlocksAlone));
  if (workers_.size() == 1 || done_ || stopped()) return OkStatus();
  limits_.pool->Run(workers_.size() - 1, [&](size_t index) {
    const Duration before = ReadClock(CLOCK_THREAD_CPUTIME_ID);
    Status status = Work(index, visit, enough, SIZE_MAX);
    MutexLock lock(mu_);
    if (!status.ok() && error_.ok()) error_ = std::move(status);
    if (index == 0) return;
    helper_cpu_ += ReadClock(CLOCK_THREAD_CPUTIME_ID) - before;
    threads_used_ = std::max(threads_used_, index + 1);
  });
  MutexLock lock(mu_);
  return error_;
}

Status Scan::Work(size_t index, const Visit& visit, const Enough& enough, size_t blocks_alone) {
  Worker& worker = *workers_[index];
  worker.clock.Start();
  // What was taken is looked at, whatever the others found since: it is newer than that.
  while (worker.blocks_decoded < blocks_alone && !done_) {
    const size_t begin = range_.begin + next_group_.fetch_add(1) * range_.group;
    if (begin >= range_.end) {
      done_ = true;
      break;
    }
    const size_t end = std::min(begin + range_.group, range_.end);
    for (size_t at = begin; at < end; ++at) {
      Result<bool> more = Step(worker, at, visit, enough);
      if (!more.ok()) done_ = true;
      if (!more.ok()) return more.status();
      if (!*more) return OkStatus();
    }
  }
  return OkStatus();
}

Result<bool> Scan::Step(Worker& worker, size_t at, const Visit& visit, const Enough& enough) {
  const store::Block& block = *blocks_[at];
  // All further blocks are older still.
  if (block.time_max() < from_ || (enough && enough(block))) {
    done_ = true;
    return false;
  }
  if (worker.interrupt.Check()) {
    MeetStop(block.time_max());
    return false;
  }
  if (block.time_min() >= to_ || block.rows() == 0) {
    fates_[at] = BlockFate::kTime;
    return true;
  }
  const Verdict verdict = worker.scan.Open(block);
  worker.clock.Lap(Stage::kFilter);
  if (verdict == Verdict::kNone) {
    fates_[at] = FateOf(worker.scan.why());
    if (limits_.progress != nullptr) limits_.progress->AddBlock(0, 0, 0);
    return true;
  }
  return Visited(worker, at, verdict, visit);
}

Result<bool> Scan::Visited(Worker& worker, size_t at, Verdict verdict, const Visit& visit) {
  const store::Block& block = *blocks_[at];
  const uint64_t scanned = worker.rows_scanned, matched = worker.rows_matched;
  const uint64_t bytes = worker.scan.reader().bytes_decoded();
  Status status = visit(worker, static_cast<uint32_t>(at), verdict);
  const bool decoded = worker.scan.reader().bytes_decoded() != bytes || !status.ok();
  worker.blocks_decoded += decoded ? 1 : 0;
  if (limits_.progress != nullptr) {
    limits_.progress->AddBlock(worker.rows_scanned - scanned, worker.rows_matched - matched,
                               worker.scan.reader().bytes_decoded() - bytes);
  }
  fates_[at] = decoded ? BlockFate::kScanned : BlockFate::kWhole;
  if (status.code() == Code::kDataLoss) {
    MutexLock lock(mu_);
    losses_.insert_or_assign(static_cast<uint32_t>(at), std::move(status));
  } else if (!status.ok()) {
    return status;
  }
  if (worker.interrupt.stopped()) {
    MeetStop(block.time_max());
    return false;
  }
  return true;
}

void Scan::MeetStop(UnixNanos newest) {
  MutexLock lock(mu_);
  unscanned_ = std::max(unscanned_.value_or(newest), newest);
}

std::optional<UnixNanos> Scan::unscanned() const {
  MutexLock lock(mu_);
  return unscanned_;
}

bool Scan::stopped() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->interrupt.stopped(); });
}

bool Scan::cancelled() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) {
    return worker->interrupt.why() == Interrupt::Why::kCancelled;
  });
}

void Scan::AddLosses(Outcome& outcome) {
  if (stopped() && !cancelled()) outcome.AddTimeLimit(limits_.time);
  MutexLock lock(mu_);
  for (const auto& [block, status] : losses_) outcome.Forgive(status).IgnoreError();
  uint64_t gave_up = 0;
  for (const auto& worker : workers_) gave_up += worker->scan.regexes_gave_up();
  outcome.AddRegexesGaveUp(gave_up);
}

void Scan::Fill(Stats& stats, Explain& explain) const {
  stats.blocks = blocks_.size();
  stats.blocks_skipped = blocks_.size();
  for (const BlockFate fate : fates_) stats.blocks_skipped -= fate == BlockFate::kScanned ? 1 : 0;
  stats.rows_scanned = stats.bytes_scanned = 0;
  for (const auto& worker : workers_) {
    stats.rows_scanned += worker->rows_scanned;
    stats.bytes_scanned += worker->scan.reader().bytes_decoded();
  }
  workers_[0]->interrupt.FillCost(stats);
  MutexLock lock(mu_);
  stats.cpu += helper_cpu_;
  if (explain_) FillExplain(explain);
}

void Scan::FillExplain(Explain& explain) const {
  explain = Explain();
  explain.filled = true;
  explain.plan = Describe(query_);
  explain.blocks = blocks_.size();
  explain.threads = threads_used_;
  for (const Term& term : query_.terms()) explain.terms.push_back({Describe(term), 0, 0});
  std::unordered_map<uint64_t, bool> decoded;  // by segment
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const store::Block& block = *blocks_[i];
    BlockFate fate = fates_[i];
    if (fate == BlockFate::kNotReached && (block.time_max() < from_ || block.time_min() >= to_)) {
      fate = BlockFate::kTime;
    }
    Explain::Part& part = explain.fates[static_cast<size_t>(fate)];
    ++part.blocks;
    part.rows += block.rows();
    if (block.segment() == 0) {
      ++explain.hot_blocks;
    } else {
      decoded[block.segment()] |= fate == BlockFate::kScanned;
    }
  }
  explain.segments = decoded.size();
  for (const auto& [segment, yes] : decoded) explain.segments_decoded += yes ? 1 : 0;
  for (const auto& worker : workers_) {
    explain.rows_matched += worker->rows_matched;
    explain.bytes_decoded += worker->scan.reader().bytes_decoded();
    for (size_t i = 0; i < kStages; ++i) explain.cpu[i] += worker->clock.cpu()[i];
    for (size_t i = 0; i < explain.terms.size(); ++i) {
      explain.terms[i].ruled_out += worker->scan.ruled_out(i);
      explain.terms[i].settled += worker->scan.settled(i);
    }
  }
}

}  // namespace kelp::query
