// What `kelp up` does: generated configurations, and two children kept together.
//
// Tests: up_test.cc
#ifndef KELP_APPS_KELP_UP_H_
#define KELP_APPS_KELP_UP_H_

#include <string>
#include <vector>

#include "command.h"

namespace kelp::cli {

// The logstore that `kelp up` writes to and `kelp logs` reads by default.
inline constexpr const char* kProjectDefault = "default";
inline constexpr const char* kLogstoreDefault = "logs";

struct UpOptions {
  std::string data_dir;
  std::string listen = "127.0.0.1:7700";        // the server
  std::string agent_listen = "127.0.0.1:7701";  // the agent
  std::vector<std::string> include;             // globs besides the machine's own logs
  bool pod_logs = false;                        // /var/log/pods is there

  std::string ServerDir() const { return JoinPath(data_dir, "server"); }
  std::string AgentDir() const { return JoinPath(data_dir, "agent"); }
  std::string PipelinesDir() const { return JoinPath(data_dir, "pipelines.d"); }
  std::string AdminTokenPath() const { return JoinPath(ServerDir(), "admin.token"); }
  std::string AgentTokenPath() const { return JoinPath(ServerDir(), "agent.token"); }
  // How this machine reaches the server: 0.0.0.0 and [::] become the loopback address.
  std::string ServerUrl() const;
};

// Where `kelp up` keeps its data when nobody says: /var/lib/kelp for root, else
// $XDG_DATA_HOME/kelp or ~/.local/share/kelp.
std::string DefaultDataDir(const Context& context);

// server.yaml and agent.yaml, with a comment that says where they come from.
std::string ServerYaml(const UpOptions& options);
std::string AgentYaml(const UpOptions& options);

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_UP_H_
