#include "input/file/file_input.h"

#include <utility>

#include "base/check.h"

namespace kelp::input {
const config::Schema<FileInputConfig>& FileInputConfig::ConfigSchema() {
  static const auto schema = [] {
    config::Schema<FileInputConfig> table(
        "file", "Follows files on this machine and reads their lines.",
        {.untrusted_input = true,
         .example = "include: [/var/log/*.log, /srv/app/**/*.log]\n"
                    "exclude: [/var/log/debug*]\n"
                    "start_at: end\n"});
    table
        .Field("include", &FileInputConfig::include,
               {.doc = "Which files: absolute paths with *, ?, [a-z], {a,b} and ** for any number "
                       "of directories.",
                .required = true,
                .example = "[/var/log/*.log]",
                .items_min = 1,
                .scalar_ok = true})
        .Field("exclude", &FileInputConfig::exclude,
               {.doc = "Which of them not: patterns of whole paths, as in include.",
                .example = "[/var/log/debug*]",
                .scalar_ok = true})
        .Field("format", &FileInputConfig::format,
               {.doc = "How a file is framed: lines; cri or docker_json for the files of container "
                       "runtimes; container to tell these two apart by the first line."})
        .Field("encoding", &FileInputConfig::encoding,
               {.doc = "What the bytes of the files mean; rows are UTF-8. utf-16 goes by the byte "
                       "order mark. Only with the format lines."})
        .Check([](const FileInputConfig& config, config::CheckContext& context) {
          if (config.encoding != framing::Charset::kUtf8 &&
              config.format != framing::Format::kLines) {
            context.Fail("encoding",
                         "container runtimes write UTF-8: another encoding goes with the format "
                         "lines only");
          }
        });
    AddFollowKeys(table);
    return table;
  }();
  return schema;
}

framing::FramingOptions FileInputConfig::Framing() const {
  framing::FramingOptions framing = FollowKeys::Framing();
  framing.format = format;
  framing.charset = encoding;
  return framing;
}

Result<std::unique_ptr<pipeline::Input>> FileInput::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  RETURN_IF_ERROR(framing::MakeDecoderFactory(config.Framing()).status().Annotate("encoding"));
  return std::unique_ptr<pipeline::Input>(std::make_unique<FileInput>(config, context));
}

FileInput::FileInput(const Config& config, const pipeline::ComponentContext& context)
    : setup_(std::make_unique<Setup>(Setup{config, context})), tail_(context.services.tail) {}

FileInput::~FileInput() { Stop(); }

Result<tail::FollowOptions> FileInput::Options(const Setup& setup) {
  const Config& config = setup.config;
  const pipeline::ComponentContext& context = setup.context;
  tail::FollowOptions options;
  options.checkpoint_space = context.pipeline + "/" + context.component;
  for (const tail::Glob& glob : config.include) options.include.Add(glob);
  for (const tail::Glob& glob : config.exclude) options.exclude.Add(glob);
  RETURN_IF_ERROR(config.Apply(config.Framing(), options));
  options.resource = [host = context.services.host_name](const std::string& path) {
    std::vector<Resource::Tag> tags{{"log.file.path", path}};
    if (!host.empty()) tags.emplace_back("host.name", host);
    return std::make_shared<const Resource>(std::move(tags));
  };
  options.metrics = tail::FollowMetrics::For(context);
  return options;
}

Status FileInput::Start(pipeline::InputHost& host) {
  CHECK(setup_ != nullptr, "an input is started once");
  if (tail_ == nullptr) {
    return InternalError("the input " + setup_->context.component + " cannot follow files here");
  }
  ASSIGN_OR_RETURN(tail::FollowOptions options, Options(*setup_));
  setup_.reset();
  follow_ = tail_->Add(std::move(options), host);
  return OkStatus();
}

void FileInput::Stop() {
  if (follow_ != 0) tail_->Remove(std::exchange(follow_, 0));
}

}  // namespace kelp::input
