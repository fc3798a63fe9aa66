// The body of the `rows` call (docs/formats/http-api.md): JSON lines, one object a row, to batches.
//
//   {"time":"2026-11-20T23:49:26Z","body":"started","resource":{"service":"shop"},"level":"info"}
//
// `time`: RFC 3339, or a number of seconds, ms, us or ns since 1970, as its size suggests; rows
// without one get `arrival`. `body`: a string. `resource`: an object of strings; other values are
// kept as their JSON text. Every other key is a field. Blank lines are skipped.
//
// Threads: a pure function.
// Limits:  kJsonRowsBatchesMax different resources.
// Errors:  kInvalidArgument names the first bad line, counted from 1, and what is wrong with it;
//          then nothing of the body was taken.
// Tests:   json_rows_test.cc, json_rows_fuzz.cc
#ifndef KELP_CODEC_JSON_ROWS_H_
#define KELP_CODEC_JSON_ROWS_H_

#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "batch/batch.h"

namespace kelp::codec {

// Each batch costs buffers of its own; a sender with more resources than this sends more requests.
inline constexpr size_t kJsonRowsBatchesMax = 4096;

// Batches without an origin, one for each resource (more where one would be too long); rows of a
// resource keep their order.
Result<std::vector<BatchPtr>> ParseJsonRows(std::string_view body, UnixNanos arrival);

}  // namespace kelp::codec

#endif  // KELP_CODEC_JSON_ROWS_H_
