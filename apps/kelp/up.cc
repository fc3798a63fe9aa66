#include "up.h"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <optional>

#include "config/node.h"
#include "net/http.h"
#include "net/http_client.h"
#include "process.h"
#include "remote.h"

namespace kelp::cli {
namespace {

// The agent sends what it has read (its shutdown_grace is 20 s), then the server may stop.
constexpr Duration kAgentGrace = 25s;
constexpr Duration kServerGrace = 20s;
// Recovery of a large write-ahead log takes a while; people want to hear that it goes on.
constexpr Duration kProgressInterval = 5s;
constexpr Duration kPollInterval = 100ms;
constexpr size_t kLastLines = 20;
// Of files that are there at the first start: enough to find something, not a day of reading.
constexpr const char* kOldBytesPerFile = "16MiB";

using Entries = std::vector<config::ConfigNode::Entry>;

// A scalar that reads back as this text: dollar signs would be taken for variables.
config::ConfigNode Text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c;
    if (c == '$') escaped += '$';
  }
  return config::ConfigNode::Scalar(escaped, true);
}

config::ConfigNode Texts(const std::vector<std::string>& texts) {
  std::vector<config::ConfigNode> items;
  for (const std::string& text : texts) items.push_back(Text(text));
  return config::ConfigNode::List(std::move(items));
}

config::ConfigNode Map(Entries entries) { return config::ConfigNode::Map(std::move(entries)); }

constexpr const char* kGenerated =
    "# Written by `kelp up` at each start; changes are lost. Pipelines of your own go into\n"
    "# pipelines.d beside this file.\n";

config::ConfigNode KelpOutput(const UpOptions& options) {
  return Map({{"type", Text("kelp"), {}},
              {"url", Text(options.ServerUrl()), {}},
              {"project", Text(kProjectDefault), {}},
              {"logstore", Text(kLogstoreDefault), {}},
              {"token_file", Text(options.AgentTokenPath()), {}}});
}

config::ConfigNode Pipeline(const std::string& name, config::ConfigNode input,
                            const UpOptions& options) {
  return Map({{"name", Text(name), {}},
              {"inputs", config::ConfigNode::List({std::move(input)}), {}},
              {"outputs", config::ConfigNode::List({KelpOutput(options)}), {}}});
}

}  // namespace

std::string UpOptions::ServerUrl() const {
  const Result<net::HostPort> address = net::ParseHostPort(listen);
  if (!address.ok()) return "http://" + listen;
  const bool any = address->host.empty() || address->host == "0.0.0.0" || address->host == "::";
  const std::string host = any ? "127.0.0.1" : address->host;
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("http://{}:{}", v6 ? "[" + host + "]" : host, address->port);
}

std::string DefaultDataDir(const Context& context) {
  const auto data_home = context.variable("XDG_DATA_HOME");
  if (data_home && !data_home->empty()) return JoinPath(*data_home, "kelp");
  const auto home = context.variable("HOME");
  if (geteuid() == 0 || !home || home->empty()) return "/var/lib/kelp";
  return JoinPath(*home, ".local/share/kelp");
}

std::string ServerYaml(const UpOptions& options) {
  return kGenerated + config::PrintYaml(Map({
                          {"data_dir", Text(options.ServerDir()), {}},
                          {"http", Map({{"listen", Text(options.listen), {}}}), {}},
                      }));
}

std::string AgentYaml(const UpOptions& options) {
  std::vector<std::string> include = {"/var/log/**/*.log", "/var/log/syslog", "/var/log/messages",
                                      "/var/log/secure", "/var/log/maillog"};
  include.insert(include.end(), options.include.begin(), options.include.end());
  const config::ConfigNode files =
      Map({{"type", Text("file"), {}},
           {"include", Texts(include), {}},
           {"exclude", Texts({"/var/log/pods/**", "/var/log/containers/**"}), {}},
           {"start_at", Map({{"last", Text(kOldBytesPerFile), {}}}), {}}});
  std::vector<config::ConfigNode> pipelines = {Pipeline("machine", files, options)};
  if (options.pod_logs) {
    pipelines.push_back(Pipeline("pods", Map({{"type", Text("pod_logs"), {}}}), options));
  }
  return kGenerated + config::PrintYaml(Map({
                          {"data_dir", Text(options.AgentDir()), {}},
                          {"http", Map({{"listen", Text(options.agent_listen), {}}}), {}},
                          {"pipelines_dir", Text(options.PipelinesDir()), {}},
                          {"pipelines", config::ConfigNode::List(std::move(pipelines)), {}},
                      }));
}

namespace {

// TERM, INT and HUP, waited for instead of interrupting.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    sigprocmask(SIG_BLOCK, &set_, &before_);
  }
  ~Signals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  // True when one came within `timeout`.
  bool Wait(Duration timeout) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    timespec spec{};
    spec.tv_sec = seconds.count();
    spec.tv_nsec = (timeout - seconds).count();
    return sigtimedwait(&set_, nullptr, &spec) > 0;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

// Starts the server, then the agent; keeps them together; stops the agent, then the server.
class Machine {
 public:
  Machine(UpOptions options, const Context& context)
      : options_(std::move(options)), context_(context) {}

  int Run() {
    const Status status = StartAll();
    if (!status.ok()) {
      StopAll();
      return stopped_ ? kExitOk : context_.Fail(status);
    }
    while (!signals_.Wait(kPollInterval)) {
      for (Child* child : {&*server_, &*agent_}) {
        if (child->Running()) continue;
        const Status died = Died(*child);
        StopAll();
        return context_.Fail(kExitUnavailable, died.message());
      }
    }
    Say("stopping: the agent sends what it has read");
    StopAll();
    Say("stopped");
    return kExitOk;
  }

 private:
  void Say(const std::string& text) {
    context_.out.Out(text + "\n");
    context_.out.Flush();
  }

  std::string Config(const char* name) const { return JoinPath(options_.data_dir, name); }
  std::string Program(const char* name) const { return JoinPath(context_.program_dir, name); }

  Status WriteFiles() {
    FileSystem& files = context_.env.files();
    RETURN_IF_ERROR(files.MakeDirs(options_.data_dir, 0700));
    ASSIGN_OR_RETURN(lock_, files.Lock(Config("up.lock")));
    for (const std::string& dir :
         {options_.ServerDir(), options_.AgentDir(), options_.PipelinesDir()}) {
      RETURN_IF_ERROR(files.MakeDirs(dir, 0700));
    }
    RETURN_IF_ERROR(WriteFileAtomically(files, Config("server.yaml"), ServerYaml(options_), 0600));
    return WriteFileAtomically(files, Config("agent.yaml"), AgentYaml(options_), 0600);
  }

  Status StartAll() {
    RETURN_IF_ERROR(WriteFiles());
    Say("starting the server on " + options_.ServerUrl());
    ASSIGN_OR_RETURN(
        Child server,
        Child::Start("kelp-server", {Program("kelp-server"), "-c", Config("server.yaml")},
                     Config("server.log")));
    server_.emplace(std::move(server));
    RETURN_IF_ERROR(WaitUntilReady(*server_, options_.ServerUrl()));
    ASSIGN_OR_RETURN(const std::string sign_in, RunAndRead({Program("kelp-server"), "sign-in-code",
                                                            "-c", Config("server.yaml")}));
    ASSIGN_OR_RETURN(Child agent,
                     Child::Start("kelp-agent", {Program("kelp-agent"), "-c", Config("agent.yaml")},
                                  Config("agent.log")));
    agent_.emplace(std::move(agent));
    if (!options_.agent_listen.empty()) {
      UpOptions agent_address;
      agent_address.listen = options_.agent_listen;
      RETURN_IF_ERROR(WaitUntilReady(*agent_, agent_address.ServerUrl()));
    }
    SayReady(sign_in);
    return OkStatus();
  }

  // `kelp logs` finds server and token by itself when they are where it looks.
  std::string SearchCommand() const {
    const std::string url = options_.ServerUrl();
    std::string command = Program("kelp") + " logs -f";
    if (url != kServerDefault) command += " --server " + url;
    const bool found = url == kServerDefault && options_.data_dir == DefaultDataDir(context_);
    if (!found) command += " --token-file " + options_.AdminTokenPath();
    return command;
  }

  void SayReady(std::string code) {
    while (!code.empty() && (code.back() == '\n' || code.back() == ' ')) code.pop_back();
    const std::string pods = options_.pod_logs ? " and the pods' logs" : "";
    Say(
        fmt::format("\nKelp collects this machine's logs{} and keeps them in {}.\n\n"
                    "  console   {}/#/sign-in?code={}\n"
                    "            (this link can sign in once, within an hour; for another one:\n"
                    "            {} sign-in-code -c {})\n"
                    "  search    {}\n"
                    "  configure put pipelines into {}\n\n"
                    "Ctrl-C stops everything.",
                    pods, options_.data_dir, options_.ServerUrl(), code, Program("kelp-server"),
                    Config("server.yaml"), SearchCommand(), options_.PipelinesDir()));
  }

  Status Died(const Child& child) const {
    return UnavailableError(fmt::format(
        "{} ended ({}); everything is stopped. The last lines of {}:\n{}", child.name(),
        child.Ending(), child.log_path(), child.LastLines(context_.env.files(), kLastLines)));
  }

  Status WaitUntilReady(Child& child, const std::string& url) {
    net::HttpClient client;
    Clock& clock = context_.env.clock();
    Duration say_at = clock.Monotonic() + kProgressInterval;
    while (true) {
      const auto answer =
          client.Send({.url = url + "/readyz", .headers = {}, .body = {}, .timeout = 5s});
      if (answer.ok() && answer->ok()) return OkStatus();
      if (!child.Running()) return Died(child);
      if (clock.Monotonic() >= say_at) {
        Say(fmt::format("still waiting for {}; its log is {}", child.name(), child.log_path()));
        say_at += kProgressInterval;
      }
      if (signals_.Wait(kPollInterval)) {
        stopped_ = true;
        return CancelledError("stopped by a signal");
      }
    }
  }

  void StopAll() {
    if (agent_) agent_->Stop(kAgentGrace);
    if (server_) server_->Stop(kServerGrace);
  }

  UpOptions options_;
  const Context& context_;
  Signals signals_;
  std::unique_ptr<FileLock> lock_;
  std::optional<Child> server_;
  std::optional<Child> agent_;
  bool stopped_ = false;
};

std::string Absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char current[4096];
  return getcwd(current, sizeof current) != nullptr ? JoinPath(current, path) : path;
}

int Up(const Arguments& arguments, const Context& context) {
  UpOptions options;
  options.data_dir =
      Absolute(arguments.Has("data-dir") ? arguments.Get("data-dir") : DefaultDataDir(context));
  options.listen = arguments.Get("listen");
  options.agent_listen = arguments.Get("agent-listen");
  for (const std::string& address : {options.listen, options.agent_listen}) {
    const Result<net::HostPort> parsed = net::ParseHostPort(address);
    if (!parsed.ok()) return context.Fail(kExitUsage, parsed.status().message());
    if (parsed->port == 0) return context.Fail(kExitUsage, "a port other than 0 is needed");
  }
  for (const std::string& glob : arguments.GetAll("include")) {
    options.include.push_back(Absolute(glob));
  }
  options.pod_logs = context.env.files().Stat("/var/log/pods").ok();
  return Machine(std::move(options), context).Run();
}

}  // namespace

Command UpCommand() {
  const UpOptions defaults;
  return {
      .name = "up",
      .positional = "",
      .summary = "runs everything on this machine: agent, server, console",
      .doc =
          "Starts kelp-server and kelp-agent beside this program, with configurations that it "
          "writes\ninto the data directory, and stays in the foreground. The agent collects "
          "/var/log, and pod\nlogs where there are any. Prints the console's address with a "
          "one-time code. When one of the\ntwo ends, the other is stopped and this ends with 69.",
      .options = {{.name = "data-dir",
                   .value = "DIR",
                   .doc = "Where rows, positions, tokens and configurations are kept. Default: "
                          "/var/lib/kelp for root, else ~/.local/share/kelp."},
                  {.name = "listen",
                   .value = "ADDRESS",
                   .doc = "Where the server listens.",
                   .fallback = defaults.listen},
                  {.name = "agent-listen",
                   .value = "ADDRESS",
                   .doc = "Where the agent's status endpoint listens.",
                   .fallback = defaults.agent_listen},
                  {.name = "include",
                   .value = "GLOB",
                   .doc = "Collect these files too; may be given several times."}},
      .examples = {{"kelp up", "this machine's logs, console on http://127.0.0.1:7700"},
                   {"kelp up --include '/srv/app/logs/*.log'", "and an application's"}},
      .run = Up,
  };
}

}  // namespace kelp::cli
