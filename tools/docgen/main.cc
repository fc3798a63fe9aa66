// kelp-docgen: writes the reference pages, or checks that they are current.
#include <cstdio>
#include <string>
#include <string_view>

#include "base/env.h"
#include "components.h"
#include "docgen.h"

namespace {

constexpr char kUsage[] =
    "usage: kelp-docgen [--check | --check-yaml] [SOURCE_DIR]\n"
    "\n"
    "Writes SOURCE_DIR/docs/reference from the components' tables and prose.\n"
    "\n"
    "  --check        write nothing; end with 1 when a page is not current\n"
    "  --check-yaml   write nothing; end with 1 when a ```yaml block in the documentation is "
    "wrong\n"
    "\n"
    "SOURCE_DIR is the project's root; default: the working directory.\n";

int Fail(const kelp::Status& status) {
  std::fprintf(stderr, "kelp-docgen: %s\n", std::string(status.message()).c_str());
  return 1;
}

int CheckYaml(const std::string& source_dir) {
  const kelp::config::Problems problems =
      kelp::docgen::CheckYamlBlocks(kelp::RealEnv(), source_dir, kelp::Components());
  std::fputs(problems.ToString().c_str(), stderr);
  return problems.empty() ? 0 : 1;
}

int WriteOrCheck(const std::string& source_dir, bool check) {
  kelp::FileSystem& files = kelp::RealEnv().files();
  const auto pages = kelp::docgen::MakePages(files, source_dir, kelp::Components());
  if (!pages.ok()) return Fail(pages.status());
  const std::string dir = kelp::JoinPath(source_dir, "docs/reference");
  if (!check) {
    const kelp::Status written = kelp::docgen::WritePages(files, dir, pages.value());
    return written.ok() ? 0 : Fail(written);
  }
  const auto differences = kelp::docgen::ComparePages(files, dir, pages.value());
  if (!differences.ok()) return Fail(differences.status());
  for (const std::string& line : differences.value()) {
    std::fprintf(stderr, "docs/reference/%s; run kelp-docgen\n", line.c_str());
  }
  return differences->empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string source_dir = ".";
  bool check = false;
  bool check_yaml = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--check") {
      check = true;
    } else if (word == "--check-yaml") {
      check_yaml = true;
    } else if (word.starts_with('-')) {
      std::fputs(kUsage, word == "--help" || word == "-h" ? stdout : stderr);
      return word == "--help" || word == "-h" ? 0 : 64;
    } else {
      source_dir = word;
    }
  }
  return check_yaml ? CheckYaml(source_dir) : WriteOrCheck(source_dir, check);
}
