// kelp-server: wires the server to the process: arguments, signals, exit codes.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <future>
#include <string>
#include <string_view>
#include <thread>

#include "base/env.h"
#include "base/exit_codes.h"
#include "base/log.h"
#include "domain/domain.h"
#include "server/server.h"
#include "server/server_config.h"
#include "store/store.h"

namespace {

constexpr char kUsage[] =
    "usage: kelp-server [COMMAND] -c FILE\n"
    "\n"
    "Stores logs and answers searches as FILE says (reference: docs/reference/server.md), in the\n"
    "foreground, until TERM.\n"
    "\n"
    "Commands:\n"
    "  (none)              serve\n"
    "  check               verify all checksums of the store; the server must not run\n"
    "  sign-in-code        print a code that signs in to the console once, within an hour\n"
    "\n"
    "  -c, --config FILE   the configuration; default /etc/kelp/server.yaml\n"
    "      --version       print the version and exit\n"
    "  -h, --help          print this and exit\n"
    "\n"
    "Signals: TERM and INT stop after answering what is under way, a second one stops at once.\n"
    "Exit codes: 0 stopped as asked, 64 wrong usage, 65 corrupt data, 69 port or data directory "
    "in\n"
    "use, 74 input/output error, 77 missing rights, 78 wrong configuration.\n";

int Fail(const kelp::Status& status) {
  std::fprintf(stderr, "kelp-server: %.*s\n", static_cast<int>(status.message().size()),
               status.message().data());
  return kelp::StartExitCode(status.code());
}

// Takes signals on a thread of its own, so that nothing runs in a handler.
class Signals {
 public:
  // Blocks the signals for every thread that starts from now on.
  Signals() {
    sigemptyset(&set_);
    for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, s);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::thread([this] { Run(); }).detach();
  }
  // Until this is called, TERM ends the process at once: recovery may take long, and nothing
  // depends on a clean stop.
  void WaitForStop() {
    serving_ = true;
    stop_.get_future().wait();
  }

 private:
  [[noreturn]] void Run() {
    bool stopping = false;
    while (true) {
      int signal = 0;
      if (sigwait(&set_, &signal) != 0) continue;
      if (signal == SIGHUP) {
        LOG(kInfo, "HUP: server.yaml is read at start only; restart to apply it");
      } else if (!serving_) {
        LOG(kInfo, "stopped while starting");
        _exit(EX_OK);
      } else if (stopping) {
        LOG(kWarning, "stopped at once by a second signal");
        _exit(EX_TEMPFAIL);
      } else {
        LOG(kInfo, "stopping; a second signal stops at once");
        stopping = true;
        stop_.set_value();
      }
    }
  }

  sigset_t set_;
  std::atomic<bool> serving_{false};
  std::promise<void> stop_;
};

// Connections and segments each need a descriptor; the usual soft limit is for select().
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Serve(const kelp::server::ServerConfig& config) {
  static Signals signals;  // its thread outlives this function
  RaiseDescriptorLimit();
  auto server = kelp::server::Server::Start(kelp::RealEnv(), config);
  if (!server.ok()) return Fail(server.status());
  LOG(kInfo, "listening on {}, data in {}", (*server)->address(), config.data_dir);
  signals.WaitForStop();
  (*server)->Stop();
  LOG(kInfo, "stopped");
  return EX_OK;
}

int Check(const kelp::server::ServerConfig& config) {
  const auto report = kelp::store::Store::Check(kelp::RealEnv(), config.StoreDir());
  if (!report.ok()) return Fail(report.status());
  for (const std::string& problem : report->problems) {
    std::fprintf(stderr, "kelp-server: %s\n", problem.c_str());
  }
  std::printf("%" PRIu64 " files, %" PRIu64 " rows, %s: %s\n", report->files, report->rows,
              kelp::FormatByteSizeShort({report->bytes}).c_str(),
              report->problems.empty() ? "no problems" : "damaged");
  return report->problems.empty() ? EX_OK : EX_DATAERR;
}

int SignInCode(const kelp::server::ServerConfig& config) {
  const std::string path = config.DomainPath();
  if (const auto info = kelp::RealEnv().files().Stat(path); !info.ok()) {
    return Fail(info.status().Annotate("the server has not been started in this data directory"));
  }
  auto domain = kelp::domain::Domain::Open(kelp::RealEnv(), path);
  if (!domain.ok()) return Fail(domain.status());
  const auto code = (*domain)->CreateSignInCode(kelp::domain::Role::kAdmin);
  if (!code.ok()) return Fail(code.status());
  std::puts(code->c_str());
  return EX_OK;
}

}  // namespace

int main(int argc, char** argv) {
  std::string path = "/etc/kelp/server.yaml";
  std::string_view command;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "-h" || arg == "--help") {
      std::fputs(kUsage, stdout);
      return EX_OK;
    }
    if (arg == "--version") {
      std::puts("kelp-server " KELP_VERSION);
      return EX_OK;
    }
    if ((arg == "-c" || arg == "--config") && i + 1 < argc) {
      path = argv[++i];
    } else if (command.empty() && (arg == "check" || arg == "sign-in-code")) {
      command = arg;
    } else {
      std::fprintf(stderr, "kelp-server: unknown argument \"%s\"\n%s", argv[i], kUsage);
      return EX_USAGE;
    }
  }
  // Few allocator arenas: decoded requests move between threads, and an arena for each thread would
  // only hold memory.
  mallopt(M_ARENA_MAX, 4);
  signal(SIGPIPE, SIG_IGN);
  const auto config = kelp::server::LoadServerConfig(kelp::RealEnv().files(), path);
  if (!config.ok()) return Fail(config.status());
  kelp::SetLogOptions(config->ToLogOptions());
  if (command == "check") return Check(*config);
  if (command == "sign-in-code") return SignInCode(*config);
  return Serve(*config);
}
