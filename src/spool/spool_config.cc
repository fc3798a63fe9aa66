#include "spool/spool_config.h"

#include <fmt/core.h>
#include <xxhash.h>

#include "base/env.h"

namespace kelp::spool {

const config::Schema<SpoolConfig>& SpoolConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<SpoolConfig>(
          "spool", "A queue on disk before an output: rows are acknowledged once they are in it.",
          {.example = "size: 4GiB\nwhen_full: drop_oldest"})
          .Field("size", &SpoolConfig::size,
                 {.doc = "Disk that the queue may use. It also stops before the disk is full.",
                  .min = 1_MiB,
                  .max = ByteSize{uint64_t{1} << 50}})
          .Field("when_full", &SpoolConfig::when_full,
                 {.doc = "`block` rests the pipeline's inputs until there is room; `drop_oldest` "
                         "gives up the oldest rows, counted."})
          .Field("sync", &SpoolConfig::sync,
                 {.doc = "When rows are forced to the disk. `always`: before they are "
                         "acknowledged; `interval`: within a second, which is what a power cut "
                         "can cost; `never`: when the system likes. A killed agent loses nothing "
                         "with any of them."})
          .Field("path", &SpoolConfig::path,
                 {.doc = "The directory of the queue. Default: `spool/PIPELINE-OUTPUT` below the "
                         "agent's data directory.",
                  .example = "/var/lib/kelp/spool/web"})
          .Check([](const SpoolConfig& c, config::CheckContext& context) {
            if (!c.path.empty() && c.path.front() != '/') {
              context.Fail("path", "must be an absolute path");
            }
          });
  return schema;
}

std::string DefaultSpoolPath(std::string_view data_dir, std::string_view pipeline,
                             std::string_view component) {
  std::string name;
  for (const char c : pipeline) {
    if (c == '/') {
      name += "%2F";
    } else {
      name += c;
    }
  }
  // A component's name has no '-', so no two pairs of names meet.
  name += '-';
  name += component;
  return JoinPath(JoinPath(data_dir, "spool"), name);
}

std::string SpoolMarkPath(std::string_view data_dir, std::string_view dir) {
  return JoinPath(data_dir, fmt::format("spool-{:016x}.held", XXH3_64bits(dir.data(), dir.size())));
}

}  // namespace kelp::spool
