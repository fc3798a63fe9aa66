// Lines of Docker's json-file log driver:
//   {"log":"hello\n","stream":"stdout","time":"2026-11-20T23:59:27.887402093Z"}
//
// Place:    the file and pod_logs inputs, one parser for each origin or worker.
// Threads:  thread-compatible.
// Format:   Docker writes the keys in the order log, stream, attrs, time, without white space; that
//           shape has a fast path. Any other JSON object with a string "log" is accepted too;
//           unknown keys are skipped.
// Tests:    docker_json_test.cc, docker_json_fuzz.cc (fast path against plain path and simdjson)
#ifndef KELP_CODEC_DOCKER_JSON_H_
#define KELP_CODEC_DOCKER_JSON_H_

#include <string_view>

#include "base/units.h"
#include "batch/batch.h"
#include "codec/cri.h"
#include "codec/rfc3339.h"

namespace kelp::codec {

struct DockerLine {
  std::string_view
      log;  // of the line given, or of the arena when it held escapes; no '\n' at its end
  UnixNanos time = kNoTime;  // kNoTime when the line has none
  Stream stream = Stream::kStdout;
  bool partial = false;    // the log did not end in '\n': it goes on in the next line of the stream
  std::string_view attrs;  // JSON text of the object, empty when there is none
};

class DockerJsonParser {
 public:
  // False when the line (without its newline) is not JSON, or has no "log"; `out` is then
  // arbitrary. Unescaped text goes into the batch's arena.
  bool Parse(std::string_view line, Batch& arena, DockerLine& out) {
    return ParseFast(line, arena, out) || ParsePlain(line, arena, out);
  }

  // The two ways of Parse, for tests: the first knows only Docker's own shape.
  bool ParseFast(std::string_view line, Batch& arena, DockerLine& out);
  bool ParsePlain(std::string_view line, Batch& arena, DockerLine& out);

 private:
  // Takes stream and time off the end of a line of Docker's shape; what is left, or nothing.
  std::string_view TakeTail(std::string_view line, DockerLine& out);
  bool TakeMember(std::string_view key, std::string_view value, Batch& arena, DockerLine& out);

  Rfc3339Reader time_;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_DOCKER_JSON_H_
