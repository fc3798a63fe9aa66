// Child: another program that this one starts, watches and stops.
#ifndef KELP_APPS_KELP_PROCESS_H_
#define KELP_APPS_KELP_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/env.h"
#include "base/status.h"

namespace kelp::cli {

// A running child process, with its output in a file.
//
// Place:    `kelp up` has one for the server and one for the agent.
// Owns:     the process: the destructor kills it when it still runs. The child gets TERM when this
//           program dies, however it dies. It is in a process group of its own, so that Ctrl-C in a
//           terminal reaches it only through this program, in the right order.
// Threads:  thread-compatible.
// Tests:    process_test.cc
class Child {
 public:
  // Starts `argv` with standard output and error in `log_path`, which is emptied first.
  static Result<Child> Start(std::string name, const std::vector<std::string>& argv,
                             std::string log_path);
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  const std::string& name() const { return name_; }
  const std::string& log_path() const { return log_path_; }
  pid_t pid() const { return pid_; }

  // True until the process was seen to have ended; never blocks.
  bool Running();
  // How it ended: "exit code 78", "killed by signal 9". REQUIRES: !Running().
  std::string Ending() const;
  // Sends TERM and waits up to `grace`; then KILL.
  void Stop(Duration grace);
  // The last lines it wrote.
  std::string LastLines(FileSystem& files, size_t lines) const;

 private:
  Child(std::string name, std::string log_path, pid_t pid)
      : name_(std::move(name)), log_path_(std::move(log_path)), pid_(pid) {}

  std::string name_;
  std::string log_path_;
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;  // as waitpid gave it
};

// Runs `argv` to its end and gives what it wrote to standard output. Errors: kUnavailable when it
// cannot be started or does not end with 0, with what it wrote to standard error.
Result<std::string> RunAndRead(const std::vector<std::string>& argv);

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_PROCESS_H_
