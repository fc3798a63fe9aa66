// SseParser: server-sent events from the pieces in which they arrive.
#ifndef KELP_APPS_KELP_SSE_H_
#define KELP_APPS_KELP_SSE_H_

#include <functional>
#include <string>
#include <string_view>

namespace kelp::cli {

struct SseEvent {
  std::string name;  // "message" when the stream gives none
  std::string data;
};

// Threads:  thread-compatible.
// Limits:   an event over kSseEventBytesMax is dropped and counted; the stream goes on.
// Tests:    sse_test.cc, sse_fuzz.cc
class SseParser {
 public:
  // A row is at most a few MiB; more is not from a server of ours.
  static constexpr size_t kSseEventBytesMax = 64u << 20;

  explicit SseParser(std::function<void(const SseEvent&)> on_event)
      : on_event_(std::move(on_event)) {}

  void Feed(std::string_view piece);
  size_t dropped() const { return dropped_; }

 private:
  void EndLine();
  void EndEvent();

  std::function<void(const SseEvent&)> on_event_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool too_large_ = false;
  bool after_cr_ = false;  // a line feed that follows belongs to the line end before it
  size_t dropped_ = 0;
};

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_SSE_H_
