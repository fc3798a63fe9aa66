// SpoolConfig: the keys of `spool:`, which every output understands.
#ifndef KELP_SPOOL_SPOOL_CONFIG_H_
#define KELP_SPOOL_SPOOL_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "config/schema.h"

namespace kelp::spool {

enum class WhenFull : uint8_t { kBlock, kDropOldest };
enum class SyncMode : uint8_t { kAlways, kInterval, kNever };

struct SpoolConfig {
  ByteSize size = 1_GiB;
  WhenFull when_full = WhenFull::kBlock;
  SyncMode sync = SyncMode::kInterval;
  std::string path;  // empty: DefaultSpoolPath
  static const config::Schema<SpoolConfig>& ConfigSchema();
};

// <data_dir>/spool/<pipeline>-<component>; a '/' in the pipeline's name becomes "%2F".
std::string DefaultSpoolPath(std::string_view data_dir, std::string_view pipeline,
                             std::string_view component);
// Where the agent notes how many rows the spool in `dir` holds: a file of the data directory,
// because what takes the spool away may take all that lies around it, too.
std::string SpoolMarkPath(std::string_view data_dir, std::string_view dir);

}  // namespace kelp::spool

template <>
struct kelp::config::EnumNames<kelp::spool::WhenFull> {
  static constexpr std::string_view kNames[] = {"block", "drop_oldest"};
};
template <>
struct kelp::config::EnumNames<kelp::spool::SyncMode> {
  static constexpr std::string_view kNames[] = {"always", "interval", "never"};
};

#endif  // KELP_SPOOL_SPOOL_CONFIG_H_
