// kelp_bench_generate: writes log files for bench/run, as fast as the disk or at a fixed pace.
//
// Prints {"bytes":N,"rows":N} when it is done.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/env.h"
#include "base/units.h"
#include "log_lines.h"

namespace kelp::bench {
namespace {

constexpr char kUsage[] =
    "usage: kelp_bench_generate --kind KIND --out PATH [--bytes SIZE] [--files N]\n"
    "                           [--pace SIZE --seconds N]\n"
    "\n"
    "KIND: raw, cri, docker_json, json_body, nginx, java.\n"
    "Without --pace, PATH is a directory that gets N files with SIZE bytes in all; container "
    "kinds\n"
    "are laid out as the kubelet does. With --pace, PATH is a file that grows by SIZE a second.\n";

// One write: large enough to cost little, small enough for a cache.
constexpr size_t kChunkBytes = 256u << 10;
// A paced writer wakes up so often: the agent sees small appends, as from a real program.
constexpr Duration kPaceTick = 10ms;

struct Options {
  std::string kind;
  std::string out;
  ByteSize bytes = 2_GiB;
  uint64_t files = 1;
  ByteSize pace;
  uint64_t seconds = 20;
};

struct Written {
  uint64_t bytes = 0;
  uint64_t rows = 0;
};

Status ParseNumber(std::string_view text, uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc() && end == text.data() + text.size()) return OkStatus();
  return InvalidArgumentError("not a number: " + std::string(text));
}

Status ParseSize(std::string_view text, ByteSize& out) {
  ASSIGN_OR_RETURN(out, ParseByteSize(text));
  return OkStatus();
}

Result<Options> ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i], value = argv[i + 1];
    Status status;
    if (name == "--kind") {
      options.kind = value;
    } else if (name == "--out") {
      options.out = value;
    } else if (name == "--bytes") {
      status = ParseSize(value, options.bytes);
    } else if (name == "--files") {
      status = ParseNumber(value, options.files);
    } else if (name == "--pace") {
      status = ParseSize(value, options.pace);
    } else if (name == "--seconds") {
      status = ParseNumber(value, options.seconds);
    } else {
      status = InvalidArgumentError("unknown option " + std::string(name));
    }
    RETURN_IF_ERROR(status);
  }
  if (argc % 2 == 0 || options.kind.empty() || options.out.empty() || options.files == 0) {
    return InvalidArgumentError("--kind and --out are needed, and every option has a value");
  }
  return options;
}

std::string FilePath(const Options& options, uint64_t file) {
  const std::string name = fmt::format("bench-{}", file);
  if (!LogLines::IsContainerKind(options.kind)) return JoinPath(options.out, name + ".log");
  return JoinPath(options.out,
                  fmt::format("bench_{}_{:08x}-0000-4000-8000-000000000000/app/0.log", name, file));
}

Result<Written> WriteFile(const Options& options, uint64_t file, uint64_t bytes) {
  ASSIGN_OR_RETURN(const auto lines, LogLines::Create(options.kind, file + 1));
  FileSystem& files = RealEnv().files();
  const std::string path = FilePath(options, file);
  RETURN_IF_ERROR(files.MakeDirs(DirName(path)));
  ASSIGN_OR_RETURN(const auto out, files.OpenForWrite(path, /*truncate=*/true, 0644));
  Written written;
  std::string chunk;
  while (written.bytes < bytes) {
    chunk.clear();
    while (chunk.size() < kChunkBytes && written.bytes + chunk.size() < bytes) {
      lines->Append(chunk);
      ++written.rows;
    }
    RETURN_IF_ERROR(out->Append(chunk));
    written.bytes += chunk.size();
  }
  return written;
}

Result<Written> WritePaced(const Options& options) {
  ASSIGN_OR_RETURN(const auto lines, LogLines::Create(options.kind, 1));
  ASSIGN_OR_RETURN(const auto out,
                   RealEnv().files().OpenForWrite(options.out, /*truncate=*/true, 0644));
  Clock& clock = RealEnv().clock();
  const Duration begin = clock.Monotonic();
  const Duration end = begin + std::chrono::seconds(options.seconds);
  Written written;
  std::string chunk;
  for (Duration now = begin; now < end; now = clock.Monotonic()) {
    const double due = static_cast<double>(options.pace.bytes) *
                       std::chrono::duration<double>(now - begin).count();
    chunk.clear();
    while (static_cast<double>(written.bytes + chunk.size()) < due) {
      lines->Append(chunk);
      ++written.rows;
    }
    RETURN_IF_ERROR(out->Append(chunk));
    written.bytes += chunk.size();
    std::this_thread::sleep_for(kPaceTick);
  }
  return written;
}

Result<Written> Run(const Options& options) {
  if (options.pace.bytes != 0) return WritePaced(options);
  Written all;
  for (uint64_t file = 0; file < options.files; ++file) {
    ASSIGN_OR_RETURN(const Written one,
                     WriteFile(options, file, options.bytes.bytes / options.files));
    all.bytes += one.bytes;
    all.rows += one.rows;
  }
  return all;
}

int Main(int argc, char** argv) {
  const Result<Options> options = ParseOptions(argc, argv);
  if (!options.ok()) {
    fmt::print(stderr, "kelp_bench_generate: {}\n{}", options.status().message(), kUsage);
    return 64;
  }
  const Result<Written> written = Run(*options);
  if (!written.ok()) {
    fmt::print(stderr, "kelp_bench_generate: {}\n", written.status().message());
    return 1;
  }
  fmt::print("{{\"bytes\":{},\"rows\":{}}}\n", written->bytes, written->rows);
  return 0;
}

}  // namespace
}  // namespace kelp::bench

int main(int argc, char** argv) { return kelp::bench::Main(argc, argv); }
