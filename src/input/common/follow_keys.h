// FollowKeys: the configuration that all inputs share that follow files.
//
// An input's configuration derives from it and adds its keys to the table of its own:
//
//   struct FileInputConfig : FollowKeys { ... };
//   config::Schema<FileInputConfig> schema("file", "...");
//   AddFollowKeys(schema);
//
// Tests: follow_keys_test.cc
#ifndef KELP_INPUT_COMMON_FOLLOW_KEYS_H_
#define KELP_INPUT_COMMON_FOLLOW_KEYS_H_

#include <optional>
#include <string>

#include "config/schema.h"
#include "framing/framing.h"
#include "tail/tail_service.h"

namespace kelp::input {

// Which lines belong together; framing/multiline.h says what the keys mean.
struct MultilineConfig {
  std::string start;
  std::string go_on;
  std::string end;
  framing::Unmatched unmatched = framing::Unmatched::kKeep;
  uint32_t lines_max = 1000;
  std::optional<ByteSize> bytes_max;
  Duration timeout = 5s;
  static const config::Schema<MultilineConfig>& ConfigSchema();
};

struct FollowKeys {
  tail::StartAt start_at;
  tail::OnLostCheckpoints on_lost_checkpoints = tail::OnLostCheckpoints::kBeginning;
  std::optional<MultilineConfig> multiline;
  ByteSize line_bytes_max = 256_KiB;
  Duration half_line_timeout = 5s;
  Duration scan_interval = 1s;

  // How files are framed: lines of UTF-8 unless the caller says otherwise.
  framing::FramingOptions Framing() const;
  // Puts what the keys say into `options`, the decoder included. Fails where a charset is not to be
  // had; everything else the schema has refused.
  Status Apply(const framing::FramingOptions& framing, tail::FollowOptions& options) const;
  // What several keys together get wrong.
  void Check(config::CheckContext& context) const;
};

template <class T>
void AddFollowKeys(config::Schema<T>& schema) {
  schema
      .Field("start_at", &T::start_at,
             {.doc = "Where to begin in files that are there when this input starts for the first "
                     "time: beginning, end, or {last: SIZE}. Files that come later are read from "
                     "their beginning.",
              .example = "{last: 1MiB}"})
      .Field("on_lost_checkpoints", &T::on_lost_checkpoints,
             {.doc = "Where to begin in the files found after the database of positions was found "
                     "corrupt or gone: from the beginning lines come twice, from the end lines may "
                     "be missing."})
      .Field("multiline", &T::multiline,
             {.doc = "Joins lines to records, each stream of a container by itself; without it "
                     "each line is a record.",
              .example = "{start: '\\d{4}-\\d{2}-\\d{2} '}"})
      .Field("line_bytes_max", &T::line_bytes_max,
             {.doc = "A longer line (in container files: a line joined from its pieces) is cut, "
                     "marked with the field kelp.truncated, and counted.",
              .min = 64_B,
              .max = 16_MiB})
      .Field("half_line_timeout", &T::half_line_timeout,
             {.doc = "What has come of a line whose end is missing is sent after this much silence "
                     "at the end of the file. With multiline, its timeout counts.",
              .min = 100ms,
              .max = 1h})
      .Field("scan_interval", &T::scan_interval,
             {.doc = "How often everything is looked at where the system cannot tell of changes "
                     "(inotify exhausted or not there).",
              .min = 100ms,
              .max = 1h})
      .Check([](const T& config, config::CheckContext& context) {
        config.FollowKeys::Check(context);
      });
}

}  // namespace kelp::input

template <>
struct kelp::config::EnumNames<kelp::framing::Unmatched> {
  static constexpr std::string_view kNames[] = {"keep", "drop"};
};

#endif  // KELP_INPUT_COMMON_FOLLOW_KEYS_H_
