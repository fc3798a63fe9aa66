#include "server/export_stream.h"

#include <utility>

namespace kelp::server {

Status ExportStream::Send() {
  if (!std::exchange(started_, true)) {
    answer_->StartStream(200,
                         {{"Content-Type", content_type_},
                          {"Content-Disposition", "attachment; filename=\"" + file_name_ + "\""},
                          {"Cache-Control", "no-store"},
                          {"X-Accel-Buffering", "no"}});
  }
  if (text_.empty()) return OkStatus();
  const bool there = answer_->Write(std::exchange(text_, std::string())) &&
                     answer_->WaitDrained(kQueuedBytesMax, kPatience);
  return there ? OkStatus() : CancelledError("the reader of the export is gone, or too slow");
}

Status ExportStream::Finish() {
  RETURN_IF_ERROR(Send());
  answer_->Finish();
  return OkStatus();
}

}  // namespace kelp::server
