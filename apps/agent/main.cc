// kelp-agent: wires the agent to the process: arguments, signals, exit codes.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "agent/agent.h"
#include "base/env.h"
#include "base/exit_codes.h"
#include "base/log.h"
#include "components.h"

namespace {

constexpr char kUsage[] =
    "usage: kelp-agent -c FILE\n"
    "\n"
    "Collects logs as FILE says (reference: docs/reference/agent.md), in the foreground, until "
    "TERM.\n"
    "\n"
    "  -c, --config FILE   the configuration; default /etc/kelp/agent.yaml\n"
    "      --version       print the version and exit\n"
    "  -h, --help          print this and exit\n"
    "\n"
    "Signals: TERM and INT stop after sending what was read, a second one stops at once; HUP "
    "reloads.\n"
    "Exit codes: 0 stopped as asked, 64 wrong usage, 69 port or data directory in use,\n"
    "74 input/output error, 75 stopped by a second signal, 77 missing rights, 78 wrong "
    "configuration.\n";

// Turns signals into requests on a thread of its own, so that nothing runs in a handler.
void ServeSignals(const sigset_t& signals, kelp::agent::Agent& agent) {
  bool stopping = false;
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      agent.RequestReload();
    } else if (signal == SIGUSR2) {
      return;  // main is done
    } else if (stopping) {
      LOG(kWarning, "stopped at once by a second signal");
      _exit(EX_TEMPFAIL);
    } else {
      stopping = true;
      agent.RequestStop();
    }
  }
}

// Files and connections need a descriptor each; the usual soft limit is for select().
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  std::string config = "/etc/kelp/agent.yaml";
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "-h" || arg == "--help") {
      std::fputs(kUsage, stdout);
      return EX_OK;
    }
    if (arg == "--version") {
      std::puts("kelp-agent " KELP_VERSION);
      return EX_OK;
    }
    if ((arg == "-c" || arg == "--config") && i + 1 < argc) {
      config = argv[++i];
      continue;
    }
    const bool no_file = arg == "-c" || arg == "--config";
    std::fprintf(stderr, "kelp-agent: %s \"%s\"\n%s",
                 no_file ? "there is no file behind" : "unknown argument", argv[i], kUsage);
    return EX_USAGE;
  }
  // Threads share two allocator arenas: the hot path recycles its own buffers, and an arena per
  // thread would only hold memory.
  mallopt(M_ARENA_MAX, 2);
  // What is as large as a read's buffer, and what nobody recycles, goes back to the system at once:
  // after a stall it would stay as holes, 20 MiB above the memory_limit for a tenth of a second.
  // Said because the allocator would learn from the first of them to keep the next ones.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  RaiseDescriptorLimit();
  signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  kelp::agent::Agent agent(kelp::RealEnv(), kelp::Components(), config);
  const kelp::Status started = agent.Start();
  if (!started.ok()) {
    std::fprintf(stderr, "kelp-agent: %.*s\n", static_cast<int>(started.message().size()),
                 started.message().data());
    return kelp::StartExitCode(started.code());
  }
  std::thread signal_thread([&] { ServeSignals(signals, agent); });
  agent.Run();
  agent.Stop();
  pthread_kill(signal_thread.native_handle(), SIGUSR2);
  signal_thread.join();
  return EX_OK;
}
