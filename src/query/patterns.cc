#include "query/patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>

#include "codec/byte_buffer.h"
#include "codec/json_print.h"
#include "query/limits.h"
#include "query/line_mask.h"
#include "query/outcome.h"
#include "query/pattern_join.h"
#include "query/pattern_query.h"
#include "query/scan.h"
#include "query/time_filter.h"

namespace kelp::query {
namespace {

// As in field_statistics.cc: fixed groups of blocks, each shard filled in order.
constexpr size_t kShards = 4;
constexpr size_t kGroupBlocks = 4;
constexpr size_t kWaveBlocks = kShards * kGroupBlocks;
// What a sample shows of a long body.
constexpr size_t kSampleBytesMax = 1024;

struct Shard {
  std::unordered_map<std::string, MaskCount> masks;
  std::array<uint64_t, 2> rows{};
  std::array<uint64_t, 2> others{};
  std::string mask;  // scratch
};

// One call of FindPatterns.
class Finder {
 public:
  Finder(const store::Snapshot& snapshot, const Query& query, const PatternsRequest& request)
      : snapshot_(snapshot), query_(query), request_(request) {}

  Result<PatternsResult> Run() {
    PatternsResult result;
    RETURN_IF_ERROR(Collect(0, request_.from, request_.to, result));
    if (request_.compare_from < request_.compare_to) {
      RETURN_IF_ERROR(Collect(1, request_.compare_from, request_.compare_to, result));
    }
    RETURN_IF_ERROR(outcome_.ErrorIfNothing(Rows(0) + Rows(1) > 0));
    Finish(result);
    return result;
  }

 private:
  uint64_t Rows(size_t span) const {
    uint64_t rows = 0;
    for (const Shard& shard : shards_) rows += shard.rows[span];
    return rows;
  }

  Status Collect(size_t span, UnixNanos from, UnixNanos to, PatternsResult& result) {
    Scan scan(snapshot_, query_, from, to, request_.limits, request_.explain && span == 0);
    const auto blocks = snapshot_.blocks();
    size_t at = 0;
    for (; at < blocks.size() && Rows(span) < request_.rows; at += kWaveBlocks) {
      if (blocks[at]->time_max() < from) break;
      RETURN_IF_ERROR(scan.Run(
          [&](Scan::Worker& worker, uint32_t block, BlockScan::Verdict verdict) {
            return AddBlock(worker, *blocks[block], verdict, from, to, span,
                            shards_[block / kGroupBlocks % kShards]);
          },
          {}, {at, at + kWaveBlocks, kGroupBlocks}));
      if (scan.cancelled()) return CancelledError("the query was cancelled");
      if (scan.stopped()) break;
    }
    if (span == 0) {
      result.complete = !scan.stopped() && (at >= blocks.size() || blocks[at]->time_max() < from);
    }
    scan.AddLosses(outcome_);
    Stats stats;
    Explain explain;
    scan.Fill(stats, explain);
    if (span == 0) result.explain = std::move(explain);
    result.stats.blocks += stats.blocks;
    result.stats.blocks_skipped += stats.blocks_skipped;
    result.stats.rows_scanned += stats.rows_scanned;
    result.stats.bytes_scanned += stats.bytes_scanned;
    result.stats.cpu += stats.cpu;
    result.stats.wall += stats.wall;
    return OkStatus();
  }

  Status AddBlock(Scan::Worker& worker, const store::Block& block, BlockScan::Verdict verdict,
                  UnixNanos from, UnixNanos to, size_t span, Shard& shard) {
    store::BlockReader& reader = worker.scan.reader();
    Bitmap rows(block.rows(), true);
    RETURN_IF_ERROR(KeepTimes(block, reader, from, to, rows));
    worker.clock.Lap(Stage::kTimes);
    worker.rows_scanned += rows.Count();
    if (verdict == BlockScan::Verdict::kSome) RETURN_IF_ERROR(worker.scan.Narrow(rows));
    worker.clock.Lap(Stage::kMatch);
    if (worker.interrupt.stopped() || !rows.Any()) return OkStatus();
    ASSIGN_OR_RETURN(const store::TextColumn* bodies, reader.Column(0));
    worker.clock.Lap(Stage::kDecode);
    uint64_t count = 0;
    rows.ForEach([&](uint32_t row) {
      if (++count % kRowsPerCheck == 0) worker.interrupt.Check();
      if (!worker.interrupt.stopped()) AddLine(bodies->Get(row).text(), span, shard);
    });
    worker.rows_matched += count;
    shard.rows[span] += count;
    worker.clock.Lap(Stage::kRows);
    return OkStatus();
  }

  static void AddLine(std::string_view body, size_t span, Shard& shard) {
    shard.mask.clear();
    MaskLine(body, shard.mask);
    auto it = shard.masks.find(shard.mask);
    if (it == shard.masks.end()) {
      if (shard.masks.size() >= kMasksMax) {
        ++shard.others[span];
        return;
      }
      it = shard.masks.try_emplace(shard.mask).first;
      it->second.mask = shard.mask;
    }
    ++it->second.counts[span];
    if (it->second.samples.size() < kPatternSamples) {
      it->second.samples.emplace_back(body.substr(0, kSampleBytesMax));
    }
  }

  void Finish(PatternsResult& result) {
    std::unordered_map<std::string, MaskCount> all;
    for (Shard& shard : shards_) {
      result.others += shard.others[0];
      for (auto& [mask, count] : shard.masks) {
        MaskCount& sum = all[mask];
        sum.mask = mask;
        for (size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += count.counts[i];
        for (std::string& sample : count.samples) {
          if (sum.samples.size() < kPatternSamples) sum.samples.push_back(std::move(sample));
        }
      }
      shard.masks.clear();
    }
    result.rows = Rows(0);
    result.compared = Rows(1);
    result.compares = request_.compare_from < request_.compare_to;
    std::vector<MaskCount> masks;
    masks.reserve(all.size());
    for (auto& [mask, count] : all) masks.push_back(std::move(count));
    masks = JoinMasks(std::move(masks));
    const size_t limit = std::clamp(request_.limit, 1u, kPatternsMax);
    for (MaskCount& mask : masks) {
      if (result.patterns.size() < limit) {
        result.patterns.push_back(PatternOf(std::move(mask), result));
      } else {
        result.others += mask.counts[0];
      }
    }
    result.partial = outcome_.partial();
  }

  static Pattern PatternOf(MaskCount mask, const PatternsResult& result) {
    Pattern out{std::move(mask.mask), mask.counts[0], mask.counts[1], 1, std::move(mask.samples)};
    if (out.count != 0 && out.compared != 0) {
      out.change = (static_cast<double>(out.count) / static_cast<double>(result.rows)) /
                   (static_cast<double>(out.compared) / static_cast<double>(result.compared));
    }
    return out;
  }

  const store::Snapshot& snapshot_;
  const Query& query_;
  const PatternsRequest& request_;
  std::array<Shard, kShards> shards_;
  Outcome outcome_;
};

std::string JsonString(std::string_view text) {
  codec::ByteBuffer buffer;
  codec::AppendJsonString(buffer, text);
  return std::string(buffer.view());
}

void PrintPattern(const Pattern& pattern, const PatternsResult& result, std::string& out) {
  auto to = std::back_inserter(out);
  const double share =
      result.rows == 0 ? 0 : static_cast<double>(pattern.count) / static_cast<double>(result.rows);
  fmt::format_to(to, "{{\"template\":{},\"rows\":{},\"share\":{:.6f}", JsonString(pattern.text),
                 pattern.count, share);
  if (result.compares) {
    fmt::format_to(to, ",\"before\":{}", pattern.compared);
  } else {
    out += ",\"before\":null";
  }
  // Of what is new or gone there is no ratio.
  if (pattern.count != 0 && pattern.compared != 0) {
    fmt::format_to(to, ",\"change\":{:.3f}", pattern.change);
  } else {
    out += ",\"change\":null";
  }
  const bool cut = std::any_of(pattern.samples.begin(), pattern.samples.end(),
                               [](const auto& sample) { return sample.size() > kMaskedBytesMax; });
  const std::string query = PatternQuery(pattern.text, cut);
  out += ",\"query\":" + (query.empty() ? "null" : JsonString(query)) +
         ",\"example\":" + (pattern.samples.empty() ? "null" : JsonString(pattern.samples[0])) +
         "}";
}

}  // namespace

Result<PatternsResult> FindPatterns(const store::Snapshot& snapshot, const Query& query,
                                    const PatternsRequest& request) {
  if (request.from >= request.to) {
    return InvalidArgumentError("the beginning of the patterns' span must be before its end");
  }
  return Finder(snapshot, query, request).Run();
}

void PrintPatternsJson(const PatternsResult& result, std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 "{{\"rows\":{},\"compared\":{},\"others\":{},\"sampled\":{},", result.rows,
                 result.compares ? std::to_string(result.compared) : "null", result.others,
                 !result.complete);
  out += "\"patterns\":[";
  for (size_t i = 0; i < result.patterns.size(); ++i) {
    if (i > 0) out += ',';
    PrintPattern(result.patterns[i], result, out);
  }
  out += "]}";
}

}  // namespace kelp::query
