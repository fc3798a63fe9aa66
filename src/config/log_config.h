// LogConfig: the key `log` of every program that runs for long: what it writes about itself.
#ifndef KELP_CONFIG_LOG_CONFIG_H_
#define KELP_CONFIG_LOG_CONFIG_H_

#include <string>

#include "base/log.h"
#include "config/schema.h"

namespace kelp::config {

struct LogConfig {
  std::string level = "info";
  std::string format = "text";
  static const Schema<LogConfig>& ConfigSchema();

  LogOptions ToOptions() const;
};

}  // namespace kelp::config

#endif  // KELP_CONFIG_LOG_CONFIG_H_
