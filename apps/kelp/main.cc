// kelp: wires the command line to the process.
#include <stdio.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/env.h"
#include "cli.h"
#include "components.h"

namespace {

class StandardPrinter final : public kelp::cli::Printer {
 public:
  void Out(std::string_view text) override { Write(text, stdout); }
  void Err(std::string_view text) override {
    fflush(stdout);
    Write(text, stderr);
  }
  void Flush() override { fflush(stdout); }

 private:
  static void Write(std::string_view text, FILE* to) { fwrite(text.data(), 1, text.size(), to); }
};

std::string ProgramDir() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? kelp::DirName(std::string(path, static_cast<size_t>(size))) : ".";
}

}  // namespace

int main(int argc, char** argv) {
  StandardPrinter printer;
  const kelp::cli::Context context{
      .env = kelp::RealEnv(),
      .out = printer,
      .registry = kelp::Components(),
      .variable = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
      },
      .version = KELP_VERSION,
      .program_dir = ProgramDir(),
  };
  const int code = kelp::cli::Run(std::vector<std::string>(argv + 1, argv + argc), context);
  // What could not be written must not look like success: `kelp schema > /dev/full`.
  if (fflush(stdout) != 0 || ferror(stdout) != 0) {
    perror("kelp: cannot write the result");
    return kelp::cli::kExitIo;
  }
  return code;
}
