// LOG: Kelp's own log, one line per message on standard error, as text or JSON.
//
//   LOG(kWarning, "cannot read {}: {}", path, status.message());
//   LOG_RATE(10s, kWarning, "inotify queue overflowed; scanning");   // at most one in 10 s
//
// Messages say what was attempted, on what, what the system said, and what to do. Secrets never
// appear here. Threads: thread-safe.
#ifndef KELP_BASE_LOG_H_
#define KELP_BASE_LOG_H_

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/units.h"

namespace kelp {

enum class LogLevel : int { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};
void SetLogOptions(const LogOptions& options);
bool LogEnabled(LogLevel level);
// "debug", "info", "warning" or "error".
Result<LogLevel> ParseLogLevel(std::string_view name);

namespace log_internal {
void Write(LogLevel level, const char* file, int line, std::string_view message);
template <typename... Args>
void Format(LogLevel level, const char* file, int line, fmt::format_string<Args...> format,
            Args&&... args) {
  Write(level, file, line, fmt::vformat(format, fmt::make_format_args(args...)));
}
// True at most once per `period`; says in `suppressed` how often it was false since.
class RateLimit {
 public:
  bool Pass(Duration period, uint64_t& suppressed);

 private:
  std::atomic<int64_t> next_{0};
  std::atomic<uint64_t> suppressed_{0};
};
}  // namespace log_internal
}  // namespace kelp

#define LOG(level, ...)                                                                       \
  do {                                                                                        \
    if (::kelp::LogEnabled(::kelp::LogLevel::level))                                          \
      ::kelp::log_internal::Format(::kelp::LogLevel::level, __FILE__, __LINE__, __VA_ARGS__); \
  } while (false)

#define LOG_RATE(period, level, ...)                                                          \
  do {                                                                                        \
    static ::kelp::log_internal::RateLimit kelp_rate_;                                        \
    uint64_t kelp_suppressed_ = 0;                                                            \
    if (::kelp::LogEnabled(::kelp::LogLevel::level) &&                                        \
        kelp_rate_.Pass((period), kelp_suppressed_)) {                                        \
      ::kelp::log_internal::Format(::kelp::LogLevel::level, __FILE__, __LINE__, __VA_ARGS__); \
      if (kelp_suppressed_ != 0)                                                              \
        ::kelp::log_internal::Format(::kelp::LogLevel::level, __FILE__, __LINE__,             \
                                     "(the message above was withheld {} times)",             \
                                     kelp_suppressed_);                                       \
    }                                                                                         \
  } while (false)

#endif  // KELP_BASE_LOG_H_
