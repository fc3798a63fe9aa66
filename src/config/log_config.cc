#include "config/log_config.h"

namespace kelp::config {

const Schema<LogConfig>& LogConfig::ConfigSchema() {
  static const auto schema = Schema<LogConfig>("log", "The program's own log, on standard error.")
                                 .Field("level", &LogConfig::level,
                                        {.doc = "The least severe messages that are written.",
                                         .choices = {"debug", "info", "warning", "error"}})
                                 .Field("format", &LogConfig::format,
                                        {.doc = "Lines for people, or one JSON object a line.",
                                         .choices = {"text", "json"}});
  return schema;
}

LogOptions LogConfig::ToOptions() const {
  LogOptions options;
  if (const auto parsed = ParseLogLevel(level); parsed.ok()) options.level = *parsed;
  options.format = format == "json" ? LogFormat::kJson : LogFormat::kText;
  return options;
}

}  // namespace kelp::config
