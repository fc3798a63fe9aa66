// PodLogPath: what the kubelet's path of a log file says.
#ifndef KELP_INPUT_POD_LOGS_POD_LOG_PATH_H_
#define KELP_INPUT_POD_LOGS_POD_LOG_PATH_H_

#include <optional>
#include <string>
#include <string_view>

namespace kelp::input {

// ROOT/NAMESPACE_POD_UID/CONTAINER/RESTARTS.log. Namespace and pod name hold no '_'.
//
// Threads: values. Tests: pod_logs_input_test.cc
struct PodLogPath {
  std::string namespace_name;
  std::string pod_name;
  std::string pod_uid;
  std::string container_name;  // empty when the path is that of a pod's directory
  std::string restart_count;   // empty unless the path is that of a file

  // `path` below `root`; nothing when it has another shape.
  static std::optional<PodLogPath> Parse(std::string_view root, std::string_view path);
};

}  // namespace kelp::input

#endif  // KELP_INPUT_POD_LOGS_POD_LOG_PATH_H_
