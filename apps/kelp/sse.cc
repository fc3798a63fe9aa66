#include "sse.h"

namespace kelp::cli {

void SseParser::Feed(std::string_view piece) {
  for (size_t i = 0; i < piece.size();) {
    if (after_cr_ && piece[i] == '\n') {
      after_cr_ = false;
      ++i;
      continue;
    }
    after_cr_ = false;
    const size_t end = piece.find_first_of("\r\n", i);
    const std::string_view text = piece.substr(i, end - i);
    if (line_.size() + event_.data.size() + text.size() > kSseEventBytesMax) {
      too_large_ = true;
    } else {
      line_ += text;
    }
    if (end == std::string_view::npos) return;
    after_cr_ = piece[end] == '\r';
    EndLine();
    i = end + 1;
  }
}

void SseParser::EndLine() {
  const std::string line = std::move(line_);
  line_.clear();
  if (line.empty() && !too_large_) return EndEvent();
  if (line.empty()) {
    ++dropped_;
    too_large_ = has_data_ = false;
    event_ = {};
    return;
  }
  const size_t colon = line.find(':');
  if (colon == 0) return;  // a comment: the server shows that it is alive
  const std::string_view name = std::string_view(line).substr(0, colon);
  std::string_view value;
  if (colon != std::string::npos) value = std::string_view(line).substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") event_.name = value;
  if (name == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
}

void SseParser::EndEvent() {
  if (has_data_) {
    if (event_.name.empty()) event_.name = "message";
    on_event_(event_);
  }
  event_ = {};
  has_data_ = false;
}

}  // namespace kelp::cli
