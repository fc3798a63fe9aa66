// FindStreams: which streams have rows in a span of time, how many and how large.
//
// Place:    /loki/api/v1/series, labels, label values, index/stats, index/volume.
// Threads:  as query::Search.
// Limits:   query::Limits; kStreamsMax.
// Errors:   as query::CountOverTime.
// Tests:    query_test.cc
#ifndef KELP_LOKI_STREAMS_H_
#define KELP_LOKI_STREAMS_H_

#include <vector>

#include "base/status.h"
#include "loki/block_entries.h"
#include "loki/request.h"

namespace kelp::loki {

// More than a list that anybody looks through.
inline constexpr size_t kStreamsMax = 20'000;

struct StreamInfo {
  LabelList labels;
  uint64_t rows = 0;
  uint64_t bytes = 0;  // about: rows of a block count alike
};

struct StreamsResult {
  std::vector<StreamInfo> streams;  // sorted by labels
  Cost cost;
};

// `wanted` says which labels tell streams apart. Stages may filter by lines and labels, too.
Result<StreamsResult> FindStreams(const Target& target, std::span<const Matcher> selector,
                                  std::span<const Stage> stages, const Wanted& wanted,
                                  UnixNanos from, UnixNanos to);

}  // namespace kelp::loki

#endif  // KELP_LOKI_STREAMS_H_
