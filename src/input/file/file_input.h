// FileInput: follows files on this machine.
#ifndef KELP_INPUT_FILE_FILE_INPUT_H_
#define KELP_INPUT_FILE_FILE_INPUT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "input/common/follow_keys.h"
#include "pipeline/input.h"
#include "tail/tail_service.h"

namespace kelp::input {

struct FileInputConfig : FollowKeys {
  std::vector<tail::Glob> include;
  std::vector<tail::Glob> exclude;
  framing::Format format = framing::Format::kLines;
  framing::Charset encoding = framing::Charset::kUtf8;

  framing::FramingOptions Framing() const;
  static const config::Schema<FileInputConfig>& ConfigSchema();
};

// Registers what its configuration says at the agent's TailService, which does the work.
//
// Place:    one per `type: file` in a pipeline.
// Owns:     its configuration until it was started: there may be thousands of these.
// Threads:  thread-compatible, as Input asks. Started once.
// Errors:   Create fails with kUnimplemented where the system does not know the encoding, Start
//           fails with kInternal where there is no TailService.
// Tests:    file_input_test.cc; tail_service_test.cc for what following means
class FileInput final : public pipeline::Input {
 public:
  static constexpr std::string_view kName = "file";
  using Config = FileInputConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<pipeline::Input>> Create(const Config& config,
                                                         const pipeline::ComponentContext& context);

  FileInput(const Config& config, const pipeline::ComponentContext& context);
  ~FileInput() override;
  Status Start(pipeline::InputHost& host) override;
  void Stop() override;

 private:
  struct Setup {
    Config config;
    pipeline::ComponentContext context;
  };
  static Result<tail::FollowOptions> Options(const Setup& setup);

  std::unique_ptr<const Setup> setup_;  // nullptr once started
  tail::TailService* const tail_;
  tail::FollowId follow_ = 0;
};

}  // namespace kelp::input

template <>
struct kelp::config::EnumNames<kelp::framing::Format> {
  static constexpr std::string_view kNames[] = {"lines", "container", "cri", "docker_json"};
};
template <>
struct kelp::config::EnumNames<kelp::framing::Charset> {
  static constexpr std::string_view kNames[] = {"utf-8", "utf-16le", "utf-16be", "utf-16",
                                                "gbk",   "gb18030",  "latin1"};
};

#endif  // KELP_INPUT_FILE_FILE_INPUT_H_
