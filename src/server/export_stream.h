// ExportStream: the body of an export, sent piece by piece as fast as its reader takes it.
#ifndef KELP_SERVER_EXPORT_STREAM_H_
#define KELP_SERVER_EXPORT_STREAM_H_

#include <string>
#include <string_view>

#include "base/status.h"
#include "base/units.h"
#include "server/api.h"

namespace kelp::server {

// Gathers small pieces and sends large ones. The answer's head goes out with the first of them, so
// that what fails before is answered as an error of its own.
//
// Threads:  confined to one thread.
// Blocking: Flush waits for the reader.
// Limits:   kPieceBytes gathered, kQueuedBytesMax queued. A reader that does not take that much
//           within kPatience is given up: it holds a thread.
// Errors:   kCancelled: the reader is gone or given up.
// Tests:    export_stream_test.cc, export_api_test.cc
class ExportStream {
 public:
  static constexpr size_t kPieceBytes = 256 << 10;
  static constexpr size_t kQueuedBytesMax = 1 << 20;
  // About 17 KB/s at least.
  static constexpr Duration kPatience = 60s;

  ExportStream(Answer answer, std::string content_type, std::string file_name)
      : answer_(std::move(answer)),
        content_type_(std::move(content_type)),
        file_name_(std::move(file_name)) {}

  // Append to this, then call Flush.
  std::string& text() { return text_; }
  // Sends what has gathered, when it is a piece.
  Status Flush() { return text_.size() < kPieceBytes ? OkStatus() : Send(); }
  bool started() const { return started_; }
  // Sends the rest and ends the answer.
  Status Finish();

 private:
  Status Send();

  const Answer answer_;
  const std::string content_type_;
  const std::string file_name_;
  bool started_ = false;
  std::string text_;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_EXPORT_STREAM_H_
