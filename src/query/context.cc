#include "query/context.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "query/interrupt.h"
#include "query/outcome.h"
#include "query/row_reader.h"

namespace kelp::query {
namespace {

// How far from the row's time blocks are looked at, one span after the other.
constexpr std::array<Duration, 5> kSpans = {Duration(1min), Duration(30min), Duration(6h),
                                            Duration(48h), Duration::max()};

UnixNanos Minus(UnixNanos time, Duration span) {
  return time < INT64_MIN + span.count() ? INT64_MIN : time - span.count();
}
UnixNanos Plus(UnixNanos time, Duration span) {
  return time > INT64_MAX - span.count() ? INT64_MAX : time + span.count();
}

// One call of FindContext.
class Finder {
 public:
  Finder(const store::Snapshot& snapshot, const ContextRequest& request)
      : snapshot_(snapshot),
        blocks_(snapshot.blocks()),
        request_(request),
        before_(std::min(request.before, kContextRowsMax)),
        after_(std::min(request.after, kContextRowsMax)),
        interrupt_(request.limits),
        seen_(blocks_.size()) {}

  Result<ContextResult> Run() {
    for (const Duration span : kSpans) {
      const UnixNanos from = Minus(request_.time, span), to = Plus(request_.time, span);
      for (size_t i = 0; i < blocks_.size() && !interrupt_.Check(); ++i) {
        const store::Block& block = *blocks_[i];
        if (seen_[i] || block.time_min() > to || block.time_max() < from) continue;
        seen_[i] = true;
        RETURN_IF_ERROR(outcome_.Forgive(LookAt(static_cast<uint32_t>(i))));
      }
      if (interrupt_.stopped() || (older_.size() >= before_ && newer_.size() >= after_)) break;
    }
    if (interrupt_.why() == Interrupt::Why::kCancelled) {
      return CancelledError("the query was cancelled");
    }
    if (interrupt_.stopped()) outcome_.AddTimeLimit(request_.limits.time);
    return Finish();
  }

 private:
  struct Place {
    uint32_t block;
    uint32_t row;
  };

  Status LookAt(uint32_t index) {
    reader_.Open(*blocks_[index]);
    ASSIGN_OR_RETURN(const store::OriginColumn* origins, reader_.Origins());
    const auto own = std::find(origins->ids.begin(), origins->ids.end(), request_.origin);
    if (own == origins->ids.end()) return OkStatus();
    const auto number = static_cast<uint16_t>(own - origins->ids.begin());
    for (uint32_t row = 0; row < origins->offsets.size(); ++row) {
      if (!origins->rows.empty() && origins->rows[row] != number) continue;
      Keep(origins->offsets[row], {index, row});
    }
    return OkStatus();
  }

  void Keep(uint64_t offset, Place place) {
    if (offset == request_.offset) {
      if (!own_) own_ = place;
    } else if (offset < request_.offset) {
      older_.emplace(offset, place);
      if (older_.size() > before_) older_.erase(older_.begin());
    } else {
      newer_.emplace(offset, place);
      if (newer_.size() > after_) newer_.erase(std::prev(newer_.end()));
    }
  }

  Status Make(Place place, Row& out) {
    if (open_ != place.block) reader_.Open(*blocks_[place.block]);
    open_ = place.block;
    ASSIGN_OR_RETURN(out, ReadRow(*blocks_[place.block], reader_, place.row));
    out.logstore = snapshot_.SourceOf(place.block);
    return OkStatus();
  }

  Status MakeAll(const std::multimap<uint64_t, Place>& places, std::vector<Row>& out) {
    for (const auto& [offset, place] : places) {
      Row row;
      Status status = Make(place, row);
      if (status.ok()) bytes_ += RowBytes(row);
      if (status.ok()) out.push_back(std::move(row));
      RETURN_IF_ERROR(outcome_.Forgive(std::move(status)));
      if (bytes_ > request_.limits.memory.bytes) {
        outcome_.AddMemoryLimit(request_.limits.memory);
        return OkStatus();
      }
    }
    return OkStatus();
  }

  Result<ContextResult> Finish() {
    ContextResult result;
    if (own_) {
      Row row;
      Status status = Make(*own_, row);
      if (status.ok()) result.row = std::move(row);
      RETURN_IF_ERROR(outcome_.Forgive(std::move(status)));
    }
    RETURN_IF_ERROR(MakeAll(older_, result.before));
    RETURN_IF_ERROR(MakeAll(newer_, result.after));
    const bool anything = result.row || !result.before.empty() || !result.after.empty();
    RETURN_IF_ERROR(outcome_.ErrorIfNothing(anything));
    result.partial = outcome_.partial();
    result.stats.blocks = blocks_.size();
    result.stats.blocks_skipped =
        static_cast<uint64_t>(std::count(seen_.begin(), seen_.end(), false));
    result.stats.bytes_scanned = reader_.bytes_decoded();
    interrupt_.FillCost(result.stats);
    return result;
  }

  const store::Snapshot& snapshot_;
  const std::span<const std::shared_ptr<const store::Block>> blocks_;
  const ContextRequest& request_;
  const size_t before_;
  const size_t after_;
  Interrupt interrupt_;
  Outcome outcome_;
  store::BlockReader reader_;
  std::vector<bool> seen_;
  std::optional<Place> own_;
  std::multimap<uint64_t, Place> older_;  // by offset, the nearest `before_`
  std::multimap<uint64_t, Place> newer_;
  std::optional<uint32_t> open_;  // the block that reader_ is on while rows are made
  uint64_t bytes_ = 0;
};

}  // namespace

Result<ContextResult> FindContext(const store::Snapshot& snapshot, const ContextRequest& request) {
  if (request.origin.empty()) {
    return InvalidArgumentError(
        "the row has no origin, so nothing is known to stand before or after it");
  }
  return Finder(snapshot, request).Run();
}

}  // namespace kelp::query
