#include "processor/timestamp/timestamp_processor.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace kelp::processor {
namespace {

constexpr const char* kZoneDir = "/usr/share/zoneinfo";
// The largest zone files have a few KiB.
constexpr ByteSize kZoneFileMax = 1_MiB;

// A name such as Asia/Shanghai, that leads nowhere else.
bool IsZoneName(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  };
  return !name.empty() && name.front() != '/' && std::all_of(name.begin(), name.end(), good);
}

Result<codec::TimeZone> FindZone(const std::string& name, Env& env) {
  if (const auto zone = codec::TimeZone::FromName(name)) return *zone;
  if (!IsZoneName(name)) {
    return InvalidArgumentError(fmt::format(
        "timezone \"{}\" is neither UTC, nor an offset such as +08:00, nor a name such as "
        "Asia/Shanghai",
        name));
  }
  const std::string path = JoinPath(kZoneDir, name);
  const Result<std::string> bytes = ReadFile(env.files(), path, kZoneFileMax);
  if (!bytes.ok()) {
    return InvalidArgumentError(
        fmt::format("timezone \"{}\" is not known on this machine: {}; is the package tzdata "
                    "installed?",
                    name, bytes.status().message()));
  }
  auto zone = codec::TimeZone::FromTzif(*bytes);
  if (!zone.ok()) return InvalidArgumentError(fmt::format("{}: {}", path, zone.status().message()));
  return zone;
}

}  // namespace

const config::Schema<TimestampConfig>& TimestampConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<TimestampConfig>(
          "timestamp", "Takes the time of a row from one of its fields.",
          {.untrusted_input = true,
           .example = "type: timestamp\nfield: time\nformats: [rfc3339, '%d/%b/%Y:%H:%M:%S %z']\n"})
          .Field("field", &TimestampConfig::field,
                 {.doc = "The field that holds the time.", .required = true, .example = "time"})
          .Field(
              "formats", &TimestampConfig::formats,
              {.doc = "How it is written; the first that fits counts. Names: rfc3339, epoch, "
                      "epoch_ms, epoch_us, epoch_ns, epoch_auto; anything else is a pattern with "
                      "conversions as strptime has them, and %.f for a fraction.",
               .required = true,
               .example = "['%Y-%m-%d %H:%M:%S%.f']",
               .items_min = 1,
               .scalar_ok = true})
          .Field(
              "timezone", &TimestampConfig::timezone,
              {.doc = "Of times that do not say theirs: UTC, an offset such as +08:00, or a name "
                      "such as Asia/Shanghai.",
               .example = "Asia/Shanghai"})
          .Field("keep_source", &TimestampConfig::keep_source,
                 {.doc = "Keep the field after its time was taken."})
          .Field(
              "on_error", &TimestampConfig::on_error,
              {.doc = "What becomes of a row whose field is no such time: `keep` it with the time "
                      "it had, and the reason in the field kelp.parse_error, or `drop` it. Both "
                      "are counted."});
  return schema;
}

Result<std::unique_ptr<pipeline::Processor>> TimestampProcessor::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  ASSIGN_OR_RETURN(const codec::TimeZone zone, FindZone(config.timezone, context.env()));
  std::vector<codec::TimeFormat> formats;
  for (const std::string& text : config.formats) {
    ASSIGN_OR_RETURN(codec::TimeFormat format, codec::TimeFormat::Parse(text, zone));
    formats.push_back(std::move(format));
  }
  return std::unique_ptr<pipeline::Processor>(
      new TimestampProcessor(config, context, std::move(formats)));
}

TimestampProcessor::TimestampProcessor(const Config& config,
                                       const pipeline::ComponentContext& context,
                                       std::vector<codec::TimeFormat> formats)
    : field_(config.field),
      keep_source_(config.keep_source),
      env_(context.env()),
      formats_(std::move(formats)),
      errors_(context, config.on_error) {}

void TimestampProcessor::Process(Batch& batch) {
  Column* source = batch.FindColumn(field_);
  if (source == nullptr) return;
  now_ = env_.clock().Now();
  errors_.Run(batch, [&](uint32_t row) { return ParseRow(batch, *source, row); });
}

bool TimestampProcessor::Read(std::string_view text, UnixNanos reference, UnixNanos& time) {
  for (codec::TimeFormat& format : formats_) {
    if (format.Read(text, reference, time)) return true;
  }
  return false;
}

std::string_view TimestampProcessor::ParseRow(Batch& batch, Column& source, uint32_t row) {
  const Value value = source.Get(row);
  if (value.missing()) return {};
  const UnixNanos reference = batch.time(row) == kNoTime ? now_ : batch.time(row);
  UnixNanos time = kNoTime;
  if (!Read(value.text(), reference, time)) return "timestamp: none of the formats fits";
  batch.set_time(row, time);
  if (!keep_source_) source.Set(row, Value());
  return {};
}

}  // namespace kelp::processor
