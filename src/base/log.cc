#include "base/log.h"

#include <unistd.h>

#include <chrono>
#include <string>

#include "base/env.h"

namespace kelp {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::atomic<LogFormat> g_format{LogFormat::kText};

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "?";
}

void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (u < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(u));
    } else {
      out += c;
    }
  }
}

}  // namespace

void SetLogOptions(const LogOptions& options) {
  g_level = options.level;
  g_format = options.format;
}

bool LogEnabled(LogLevel level) { return level >= g_level.load(std::memory_order_relaxed); }

Result<LogLevel> ParseLogLevel(std::string_view name) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (name == LevelName(level)) return level;
  }
  return InvalidArgumentError("\"" + std::string(name) +
                              "\" is not a log level: write debug, info, warning or error");
}

namespace log_internal {

void Write(LogLevel level, const char* file, int line, std::string_view message) {
  const UnixNanos now = RealEnv().clock().Now();
  const std::string source = BaseName(file) + ":" + std::to_string(line);
  std::string out;
  if (g_format == LogFormat::kJson) {
    out = "{\"time\":\"" + FormatRfc3339(now) + "\",\"level\":\"" + LevelName(level) +
          "\",\"source\":\"" + source + "\",\"message\":\"";
    AppendEscaped(out, message);
    out += "\"}\n";
  } else {
    out = FormatRfc3339(now).substr(0, 23) + "Z " + LevelName(level) + " " + source + ": ";
    for (const char c : message) out += c == '\n' ? ' ' : c;
    out += '\n';
  }
  // One write keeps lines whole when several threads or processes share the descriptor.
  [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, out.data(), out.size());
}

bool RateLimit::Pass(Duration period, uint64_t& suppressed) {
  const int64_t now = RealEnv().clock().Monotonic().count();
  int64_t next = next_.load(std::memory_order_relaxed);
  if (now < next || !next_.compare_exchange_strong(next, now + period.count())) {
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  suppressed = suppressed_.exchange(0, std::memory_order_relaxed);
  return true;
}

}  // namespace log_internal
}  // namespace kelp
