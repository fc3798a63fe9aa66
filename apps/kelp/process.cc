#include "process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <thread>
#include <utility>

namespace kelp::cli {
namespace {

constexpr Duration kPollInterval = 20ms;
constexpr int kCannotExecute = 127;  // as shells say it

std::vector<char*> Pointers(const std::vector<std::string>& argv) {
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void BecomeProgram(char* const* argv, int out, int err, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kCannotExecute);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execv(argv[0], argv);
  constexpr char kMessage[] = "cannot execute the program\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  _exit(kCannotExecute);
}

std::string DescribeEnding(int status) {
  if (WIFSIGNALED(status)) return fmt::format("killed by signal {}", WTERMSIG(status));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

Result<Child> Child::Start(std::string name, const std::vector<std::string>& argv,
                           std::string log_path) {
  if (access(argv[0].c_str(), X_OK) != 0) return ErrnoError("cannot run " + argv[0]);
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return ErrnoError("cannot write " + log_path);
  const std::vector<char*> pointers = Pointers(argv);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeProgram(pointers.data(), log, log, parent);
  const int error = errno;
  close(log);
  if (pid < 0) return ErrnoError("cannot start " + name, error);
  return Child(std::move(name), std::move(log_path), pid);
}

Child::Child(Child&& other) noexcept
    : name_(std::move(other.name_)),
      log_path_(std::move(other.log_path_)),
      pid_(std::exchange(other.pid_, -1)),
      ended_(other.ended_),
      status_(other.status_) {}

Child::~Child() {
  if (pid_ > 0 && Running()) Stop(Duration(0));
}

bool Child::Running() {
  if (ended_) return false;
  ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

std::string Child::Ending() const { return DescribeEnding(status_); }

void Child::Stop(Duration grace) {
  if (!Running()) return;
  kill(pid_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + grace;
  while (Running() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kPollInterval);
  }
  if (!Running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
  ended_ = true;
}

std::string Child::LastLines(FileSystem& files, size_t lines) const {
  const Result<std::string> text = ReadFile(files, log_path_);
  if (!text.ok()) return "";
  size_t start = text->size();
  for (size_t found = 0; start > 0; --start) {
    if ((*text)[start - 1] == '\n' && start != text->size() && ++found == lines) break;
  }
  return text->substr(start);
}

Result<std::string> RunAndRead(const std::vector<std::string>& argv) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoError("cannot make a pipe");
  const std::vector<char*> pointers = Pointers(argv);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeProgram(pointers.data(), ends[1], ends[1], parent);
  const int error = errno;
  close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t size = 0;
  while (pid > 0 && ((size = read(ends[0], buffer.data(), buffer.size())) > 0 ||
                     (size < 0 && errno == EINTR))) {
    if (size > 0) text.append(buffer.data(), static_cast<size_t>(size));
  }
  close(ends[0]);
  if (pid < 0) return ErrnoError("cannot start " + argv[0], error);
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  return UnavailableError(fmt::format("{} failed ({}): {}", argv[0], DescribeEnding(status), text));
}

}  // namespace kelp::cli
