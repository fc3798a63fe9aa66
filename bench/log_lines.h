// LogLines: synthetic log lines of the kinds that the benchmarks read.
#ifndef KELP_BENCH_LOG_LINES_H_
#define KELP_BENCH_LOG_LINES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kelp::bench {

// A source of lines, or records of several lines, that never ends. The same kind and seed give the
// same lines.
//
//   raw          application text, 515 bytes with the newline
//   cri          the raw text as containerd writes it: time, stream, flag, text
//   docker_json  a JSON object of 12 keys, inside Docker's json-file format
//   json_body    the same object, inside the CRI format
//   nginx        an access log line of 534 bytes with the newline and 11 fields
//   java         a record of 514 bytes in 8 lines: a message and a stack trace
//
// Threads: thread-compatible.
class LogLines {
 public:
  virtual ~LogLines() = default;
  // Appends one line or record with its newline.
  virtual void Append(std::string& out) = 0;

  // Errors: kInvalidArgument, naming the kinds.
  static Result<std::unique_ptr<LogLines>> Create(std::string_view kind, uint64_t seed);
  // True for the kinds that a container runtime writes.
  static bool IsContainerKind(std::string_view kind) {
    return kind != "raw" && kind != "nginx" && kind != "java";
  }
};

}  // namespace kelp::bench

#endif  // KELP_BENCH_LOG_LINES_H_
