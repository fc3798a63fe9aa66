#include "input/file/file_input.h"

#include <utility>

namespace kelp::input {
namespace {

framing::DecoderFactory DecoderOf(FileFormat format) {
  switch (format) {
    case FileFormat::kLines:
      return framing::MakePlainDecoder;
    case FileFormat::kContainer:
      return framing::MakeContainerDecoder;
    case FileFormat::kCri:
      return framing::MakeCriDecoder;
    case FileFormat::kDockerJson:
      return framing::MakeDockerJsonDecoder;
  }
  return framing::MakePlainDecoder;
}

}  // namespace

const config::Schema<FileInputConfig>& FileInputConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<FileInputConfig>("file",
                                      "Follows files on this machine and reads their lines.",
                                      {.untrusted_input = true,
                                       .example = "include: [/var/log/*.log, /srv/app/**/*.log]\n"
                                                  "exclude: [/var/log/debug*]\n"
                                                  "start_at: end\n"})
          .Field("include", &FileInputConfig::include,
                 {.doc = "Which files: absolute paths with *, ?, [a-z], {a,b} and ** for any "
                         "number of directories.",
                  .required = true,
                  .example = "[/var/log/*.log]",
                  .items_min = 1,
                  .scalar_ok = true})
          .Field("exclude", &FileInputConfig::exclude,
                 {.doc = "Which of them not: patterns of whole paths, as in include.",
                  .example = "[/var/log/debug*]",
                  .scalar_ok = true})
          .Field("start_at", &FileInputConfig::start_at,
                 {.doc = "Where to begin in files that are there when this input starts for the "
                         "first time: beginning, end, or {last: SIZE}. Files that come later are "
                         "read from their beginning.",
                  .example = "{last: 1MiB}"})
          .Field("on_lost_checkpoints", &FileInputConfig::on_lost_checkpoints,
                 {.doc = "Where to begin in the files found after the database of positions was "
                         "found corrupt: from the beginning lines come twice, from the end lines "
                         "may be missing."})
          .Field(
              "format", &FileInputConfig::format,
              {.doc = "How a file is framed: lines; cri or docker_json for the files of "
                      "container runtimes; container to tell these two apart by the first line."})
          .Field("line_bytes_max", &FileInputConfig::line_bytes_max,
                 {.doc = "A longer line is cut, marked with the field kelp.truncated, and counted.",
                  .min = 64_B,
                  .max = 16_MiB})
          .Field("scan_interval", &FileInputConfig::scan_interval,
                 {.doc = "How often everything is looked at where the system cannot tell of "
                         "changes (inotify exhausted or not there).",
                  .min = 100ms,
                  .max = 1h});
  return schema;
}

Result<std::unique_ptr<pipeline::Input>> FileInput::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  return std::unique_ptr<pipeline::Input>(std::make_unique<FileInput>(config, context));
}

FileInput::FileInput(const Config& config, const pipeline::ComponentContext& context)
    : config_(config), context_(context) {}

FileInput::~FileInput() { Stop(); }

tail::FollowOptions FileInput::Options() const {
  tail::FollowOptions options;
  options.checkpoint_space = context_.pipeline + "/" + context_.component;
  for (const tail::Glob& glob : config_.include) options.include.Add(glob);
  for (const tail::Glob& glob : config_.exclude) options.exclude.Add(glob);
  options.start_at = config_.start_at;
  options.on_lost_checkpoints = config_.on_lost_checkpoints;
  options.line_bytes_max = config_.line_bytes_max.bytes;
  options.scan_interval = config_.scan_interval;
  options.decoder = DecoderOf(config_.format);
  options.resource = [host = context_.services.host_name](const std::string& path) {
    std::vector<Resource::Tag> tags{{"log.file.path", path}};
    if (!host.empty()) tags.emplace_back("host.name", host);
    return std::make_shared<const Resource>(std::move(tags));
  };
  options.metrics = tail::FollowMetrics::For(context_);
  return options;
}

Status FileInput::Start(pipeline::InputHost& host) {
  if (context_.services.tail == nullptr) {
    return InternalError("the input " + context_.component + " cannot follow files here");
  }
  follow_ = context_.services.tail->Add(Options(), host);
  return OkStatus();
}

void FileInput::Stop() {
  if (follow_ != 0) context_.services.tail->Remove(std::exchange(follow_, 0));
}

}  // namespace kelp::input
