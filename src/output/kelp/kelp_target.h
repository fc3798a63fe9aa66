// KelpTarget: where batch sets go and who sends them.
#ifndef KELP_OUTPUT_KELP_KELP_TARGET_H_
#define KELP_OUTPUT_KELP_KELP_TARGET_H_

#include <string>

#include "base/env.h"
#include "base/sync.h"
#include "net/http.h"
#include "output/kelp/kelp_config.h"

namespace kelp::output {

// The address of one logstore's ingest call, and the token for it.
//
// Place:    KelpOutput has one for all its lanes.
// Borrows:  `files`, which outlives it.
// Threads:  thread-safe.
// Limits:   a token file of more than kTokenFileMax is refused: it is no token.
class KelpTarget {
 public:
  static constexpr ByteSize kTokenFileMax = 64_KiB;

  // `agent`: who sends, for the server's list of agents; empty: it is not said.
  KelpTarget(const KelpOutputConfig& config, FileSystem& files, std::string agent = "");

  // http://HOST:PORT/api/v1/projects/P/logstores/L/batches
  const std::string& url() const { return url_; }
  // http://HOST:PORT as it was configured, without a slash at its end.
  const std::string& base_url() const { return base_url_; }
  const std::string& project() const { return project_; }
  const std::string& logstore() const { return logstore_; }
  // Content type, who sends, and, when there is a token, Authorization.
  net::HttpHeaders Headers() const;
  // Reads token_file again, if there is one. Errors: the token stays what it was.
  Status ReloadToken();

 private:
  const std::string base_url_;
  const std::string project_;
  const std::string logstore_;
  const std::string url_;
  const std::string agent_;
  const std::string token_file_;
  FileSystem& files_;
  mutable Mutex mu_;
  std::string token_ GUARDED_BY(mu_);
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_KELP_KELP_TARGET_H_
