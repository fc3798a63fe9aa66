#include "input/pod_logs/pod_log_path.h"

#include <algorithm>

namespace kelp::input {
namespace {

constexpr std::string_view kSuffix = ".log";

// Takes the text up to `separator` off `rest`; all of it when there is no separator.
std::string_view TakeUntil(std::string_view& rest, char separator) {
  const size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

bool AllDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<PodLogPath> PodLogPath::Parse(std::string_view root, std::string_view path) {
  if (path.substr(0, root.size()) != root) return std::nullopt;
  path.remove_prefix(root.size());
  if (path.empty() || path[0] != '/') return std::nullopt;
  path.remove_prefix(1);

  std::string_view directory = TakeUntil(path, '/');
  PodLogPath result;
  result.namespace_name = TakeUntil(directory, '_');
  result.pod_name = TakeUntil(directory, '_');
  result.pod_uid = directory;
  if (result.namespace_name.empty() || result.pod_name.empty() || result.pod_uid.empty() ||
      result.pod_uid.find('_') != std::string::npos) {
    return std::nullopt;
  }
  result.container_name = TakeUntil(path, '/');
  if (path.empty()) return result;
  const bool log =
      path.size() > kSuffix.size() && path.substr(path.size() - kSuffix.size()) == kSuffix;
  const std::string_view number = path.substr(0, path.size() - (log ? kSuffix.size() : 0));
  if (!log || !AllDigits(number) || result.container_name.empty()) return std::nullopt;
  result.restart_count = number;
  return result;
}

}  // namespace kelp::input
