#include "input/common/follow_keys.h"

#include <utility>

namespace kelp::input {
namespace {

framing::MultilineOptions OptionsOf(const MultilineConfig& config, ByteSize line_bytes_max) {
  framing::MultilineOptions options;
  options.start = config.start;
  options.go_on = config.go_on;
  options.end = config.end;
  options.unmatched = config.unmatched;
  options.lines_max = config.lines_max;
  options.bytes_max = config.bytes_max.value_or(line_bytes_max).bytes;
  return options;
}

void CheckPattern(const std::string& pattern, const char* key, config::CheckContext& context) {
  const auto regex = codec::Regex::Compile(pattern, {.anchored = true});
  if (!regex.ok()) {
    context.Fail(key, std::string(regex.status().Annotate(key).message()));
  }
}

}  // namespace

const config::Schema<MultilineConfig>& MultilineConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<MultilineConfig>(
          "multiline",
          "Which lines make a record. Patterns are regular expressions (PCRE2) that are tried "
          "where "
          "the line begins. Give start; start and continue; start and end; continue and end; or "
          "end.",
          {.example = "start: '\\d{4}-\\d{2}-\\d{2} '\n"})
          .Field("start", &MultilineConfig::start,
                 {.doc = "A line that begins a record. Alone: the record goes on to the next start "
                         "line.",
                  .example = "'\\d{4}-\\d{2}-\\d{2} '"})
          .Field("continue", &MultilineConfig::go_on,
                 {.doc = "A line that goes on with a record. With start: the record is the start "
                         "line and the continue lines directly behind it. With end: a run of "
                         "continue lines and the end line directly behind it; an end line alone is "
                         "a record, too.",
                  .example = "'[\\t ]'"})
          .Field("end", &MultilineConfig::end,
                 {.doc = "The last line of a record. With start: all lines from the start line up "
                         "to it, other start lines included. Alone: all lines up to it.",
                  .example = "'END'"})
          .Field("unmatched", &MultilineConfig::unmatched,
                 {.doc = "What becomes of lines outside of all records, and of those of a record "
                         "that should have an end but has none: keep makes each a row of its own "
                         "(in container files those of one such record one row), drop drops and "
                         "counts them."})
          .Field("lines_max", &MultilineConfig::lines_max,
                 {.doc = "A record of more lines is cut in front of the first one too many, marked "
                         "with the field kelp.truncated, and counted; that line is looked at as if "
                         "it were outside of a record.",
                  .min = 1,
                  .max = 10000})
          .Field("bytes_max", &MultilineConfig::bytes_max,
                 {.doc = "The same for the bytes of a record, line ends included; not less than "
                         "line_bytes_max, which it is when not given.",
                  .min = 64_B,
                  .max = 16_MiB})
          .Field("timeout", &MultilineConfig::timeout,
                 {.doc = "A record that may go on is sent after this much silence at the end of "
                         "the file.",
                  .min = 100ms,
                  .max = 1h})
          .Check([](const MultilineConfig& config, config::CheckContext& context) {
            const auto mode = framing::MultilineRules::ModeOf(OptionsOf(config, 0_B));
            if (!mode.ok()) {
              context.Fail(config.go_on.empty() ? "" : "continue",
                           std::string(mode.status().message()));
            }
            CheckPattern(config.start, "start", context);
            CheckPattern(config.go_on, "continue", context);
            CheckPattern(config.end, "end", context);
          });
  return schema;
}

framing::FramingOptions FollowKeys::Framing() const {
  framing::FramingOptions framing;
  framing.line_bytes_max = line_bytes_max.bytes;
  if (multiline) framing.multiline = OptionsOf(*multiline, line_bytes_max);
  return framing;
}

Status FollowKeys::Apply(const framing::FramingOptions& framing,
                         tail::FollowOptions& options) const {
  options.start_at = start_at;
  options.on_lost_checkpoints = on_lost_checkpoints;
  options.line_bytes_max = line_bytes_max.bytes;
  options.half_line_timeout = multiline ? multiline->timeout : half_line_timeout;
  options.scan_interval = scan_interval;
  ASSIGN_OR_RETURN(options.decoder, framing::MakeDecoderFactory(framing));
  return OkStatus();
}

void FollowKeys::Check(config::CheckContext& context) const {
  if (multiline && multiline->bytes_max && *multiline->bytes_max < line_bytes_max) {
    context.Fail("multiline", "bytes_max must not be less than line_bytes_max (" +
                                  FormatByteSize(line_bytes_max) + ")");
  }
}

}  // namespace kelp::input
