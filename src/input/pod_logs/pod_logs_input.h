// PodLogsInput: follows the logs of all pods on this node, by the kubelet's tree alone.
#ifndef KELP_INPUT_POD_LOGS_POD_LOGS_INPUT_H_
#define KELP_INPUT_POD_LOGS_POD_LOGS_INPUT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "input/common/follow_keys.h"
#include "input/pod_logs/pod_log_path.h"
#include "pipeline/input.h"
#include "tail/tail_service.h"

namespace kelp::input {

// Which containers: each list holds names with *, ?, [a-z]; an empty list takes all.
struct PodSelector {
  std::vector<std::string> namespaces;
  std::vector<std::string> pods;
  std::vector<std::string> containers;
  static const config::Schema<PodSelector>& ConfigSchema();

  bool empty() const { return namespaces.empty() && pods.empty() && containers.empty(); }
  // All lists that are not empty match. Of a pod's directory: the container list is left out of it.
  bool Matches(const PodLogPath& path) const;
};

struct PodLogsInputConfig : FollowKeys {
  std::string root = "/var/log/pods";
  PodSelector include;
  PodSelector exclude;

  framing::FramingOptions Framing() const;
  static const config::Schema<PodLogsInputConfig>& ConfigSchema();
};

// Registers the tree at the agent's TailService, and reads pod and container off the paths.
//
// Place:    one per `type: pod_logs` in a pipeline.
// Threads:  thread-compatible, as Input asks.
// Errors:   Start fails with kInternal where there is no TailService. A missing root is waited for.
// Tests:    pod_logs_input_test.cc; tail_service_test.cc for what following means
class PodLogsInput final : public pipeline::Input {
 public:
  static constexpr std::string_view kName = "pod_logs";
  using Config = PodLogsInputConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<pipeline::Input>> Create(const Config& config,
                                                         const pipeline::ComponentContext& context);

  PodLogsInput(const Config& config, const pipeline::ComponentContext& context);
  ~PodLogsInput() override;
  Status Start(pipeline::InputHost& host) override;
  void Stop() override;

  // What the rows of a file share.
  static ResourcePtr ResourceOf(const std::string& root, const std::string& path,
                                const std::string& host_name);

 private:
  Result<tail::FollowOptions> Options() const;

  const Config config_;
  const pipeline::ComponentContext context_;
  tail::FollowId follow_ = 0;
};

}  // namespace kelp::input

#endif  // KELP_INPUT_POD_LOGS_POD_LOGS_INPUT_H_
