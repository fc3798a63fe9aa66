#include "output/kelp/kelp_target.h"

#include <utility>

namespace kelp::output {
namespace {

std::string WithoutSlash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

std::string Trimmed(const std::string& text) {
  const char* space = " \t\r\n";
  const size_t begin = text.find_first_not_of(space);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

}  // namespace

KelpTarget::KelpTarget(const KelpOutputConfig& config, FileSystem& files, std::string agent)
    : base_url_(WithoutSlash(config.url)),
      project_(config.project),
      logstore_(config.logstore),
      url_(base_url_ + "/api/v1/projects/" + net::UrlEncode(project_) + "/logstores/" +
           net::UrlEncode(logstore_) + "/batches"),
      agent_(std::move(agent)),
      token_file_(config.token_file),
      files_(files),
      token_(config.token) {}

net::HttpHeaders KelpTarget::Headers() const {
  net::HttpHeaders headers = {{"Content-Type", "application/x-kelp-batch"}};
  if (!agent_.empty()) headers.Add("Kelp-Agent", agent_);
  MutexLock lock(mu_);
  if (!token_.empty()) headers.Add("Authorization", "Bearer " + token_);
  return headers;
}

Status KelpTarget::ReloadToken() {
  if (token_file_.empty()) return OkStatus();
  ASSIGN_OR_RETURN(const std::string text, ReadFile(files_, token_file_, kTokenFileMax));
  std::string token = Trimmed(text);
  if (token.empty()) return InvalidArgumentError("the token file " + token_file_ + " is empty");
  for (const char c : token) {
    if (c <= ' ' || c > '~') {
      return InvalidArgumentError("the token file " + token_file_ +
                                  " holds more than one word of plain characters");
    }
  }
  MutexLock lock(mu_);
  token_ = std::move(token);
  return OkStatus();
}

}  // namespace kelp::output
