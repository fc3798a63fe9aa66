// kelp_query_bench: what searches cost over the 5 M rows of store/bench_rows.h.
//
//   kelp_query_bench [CASE...] [--store DIR] [--repeat N] [--threads N]
//
// DIR is what `kelp_store_bench --keep DIR` left. Without --store, the kelp_store_bench beside this
// program makes one in the current folder first. Prints one JSON line per case: CPU time of the
// query's threads, the best of N runs after a first one that warms the page cache, and what it did.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/env.h"
#include "query/field_statistics.h"
#include "query/patterns.h"
#include "query/query.h"
#include "query/scan_pool.h"
#include "store/store.h"

namespace kelp::query {
namespace {

const store::LogstoreName kName{"bench", "mix"};

struct Arguments {
  std::vector<std::string> cases;
  std::string dir;
  int repeat = 5;
  uint32_t threads = 1;
};

// What one run cost and found.
struct Run {
  Stats stats;
  uint64_t rows = 0;
};

enum class Kind { kRows, kHistogram, kFields, kBodies, kPatterns };

struct BenchCase {
  const char* name;
  const char* query;
  Kind kind;
};

constexpr BenchCase kCases[] = {
    {"histogram", "*", Kind::kHistogram},
    {"rare_word", "quixotic_zebra", Kind::kRows},
    {"absent_word", "wordthatisnowhere", Kind::kRows},
    {"regex_scan", "/code=E[0-9]{3}$/", Kind::kHistogram},
    {"newest_100", "k8s.namespace.name:=team-3 level:=fatal", Kind::kRows},
    // Not among the agreed cases, but telling.
    {"newest_common_word", "order", Kind::kRows},
    {"histogram_field", "level:error", Kind::kHistogram},
    {"histogram_word", "payments", Kind::kHistogram},
    {"regex_newest", "/code=E99[0-9]$/", Kind::kRows},
    {"regex_without_literal", "/[a-f]{6}[0-9]{6}[a-f]{2}/", Kind::kHistogram},
    {"top_values", "*", Kind::kFields},
    {"top_values_matching", "level:error", Kind::kFields},
    // Nearly every body is different: the worst field there can be.
    {"top_values_of_bodies", "*", Kind::kBodies},
    {"patterns", "*", Kind::kPatterns},
    {"phrase_of_common_words", "\"rows 7 statement\"", Kind::kRows},
};

std::string Machine() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

Run RunOnce(const store::Snapshot& snapshot, const BenchCase& bench, const Limits& limits) {
  ParseError error;
  const std::shared_ptr<const Query> query = Parse(bench.query, error);
  CHECK(query != nullptr, error.message);
  switch (bench.kind) {
    case Kind::kHistogram: {
      HistogramRequest request;
      request.limits = limits;
      request.from = INT64_MAX;
      for (const auto& block : snapshot.blocks()) {
        request.from = std::min(request.from, block->time_min());
        request.to = std::max(request.to, block->time_max() + 1);
      }
      const Result<HistogramResult> result = CountOverTime(snapshot, *query, request);
      CHECK(result.ok(), result.status().ToString());
      return {result->stats, result->total};
    }
    case Kind::kFields:
    case Kind::kBodies: {
      FieldStatsRequest request;
      request.limits = limits;
      if (bench.kind == Kind::kBodies) request.fields = {"body"};
      const Result<FieldStatsResult> result = FieldStatistics(snapshot, *query, request);
      CHECK(result.ok(), result.status().ToString());
      return {result->stats, result->rows};
    }
    case Kind::kPatterns: {
      const Result<PatternsResult> result =
          FindPatterns(snapshot, *query, PatternsRequest{.limits = limits});
      CHECK(result.ok(), result.status().ToString());
      return {result->stats, result->rows};
    }
    case Kind::kRows:
      break;
  }
  SearchRequest request;
  request.limits = limits;
  const Result<SearchResult> result = Search(snapshot, *query, request);
  CHECK(result.ok(), result.status().ToString());
  return {result->stats, result->rows.size()};
}

void Measure(const store::Snapshot& snapshot, const BenchCase& bench, const Limits& limits,
             int repeat) {
  RunOnce(snapshot, bench, limits);
  Run best = RunOnce(snapshot, bench, limits);
  for (int i = 1; i < repeat; ++i) {
    const Run run = RunOnce(snapshot, bench, limits);
    if (run.stats.wall < best.stats.wall) best = run;
  }
  const auto ms = [](Duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
  fmt::print(
      "{{\"case\":\"{}\",\"threads\":{},\"cpu_ms\":{:.2f},\"wall_ms\":{:.2f},\"rows\":{},"
      "\"blocks\":{},"
      "\"blocks_skipped\":{},\"rows_scanned\":{},\"mb_decoded\":{:.1f},\"machine\":\"{}\"}}\n",
      bench.name, limits.threads, ms(best.stats.cpu), ms(best.stats.wall), best.rows,
      best.stats.blocks, best.stats.blocks_skipped, best.stats.rows_scanned,
      static_cast<double>(best.stats.bytes_scanned) / 1e6, Machine());
  std::fflush(stdout);
}

// Has kelp_store_bench fill ./kelp-bench-store. False when that failed.
bool MakeStore(const char* own_path, std::string& dir) {
  dir = "kelp-bench-store";
  const std::string program = JoinPath(DirName(own_path), "kelp_store_bench");
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    ::dup2(STDERR_FILENO, STDOUT_FILENO);  // its figures are not ours
    ::execl(program.c_str(), program.c_str(), "--keep", dir.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool ParseArguments(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--store" && i + 1 < argc) {
      out.dir = argv[++i];
    } else if (argument == "--repeat" && i + 1 < argc) {
      out.repeat = std::max(1, std::atoi(argv[++i]));
    } else if (argument == "--threads" && i + 1 < argc) {
      out.threads = static_cast<uint32_t>(std::clamp(std::atoi(argv[++i]), 1, 64));
    } else if (std::any_of(std::begin(kCases), std::end(kCases),
                           [&](const BenchCase& bench) { return argument == bench.name; })) {
      out.cases.emplace_back(argument);
    } else {
      return false;
    }
  }
  return true;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!ParseArguments(argc, argv, arguments)) {
    fmt::print(
        stderr,
        "usage: kelp_query_bench [CASE...] [--store DIR] [--repeat N] [--threads N]\ncases:");
    for (const BenchCase& bench : kCases) fmt::print(stderr, " {}", bench.name);
    fmt::print(stderr, "\n");
    return 64;
  }
  if (arguments.dir.empty() && !MakeStore(argv[0], arguments.dir)) {
    fmt::print(stderr, "kelp_store_bench, which makes the rows, failed or is not there\n");
    return 1;
  }
  MetricRegistry metrics;
  store::StoreOptions options;
  options.dir = arguments.dir;
  auto store = store::Store::Open(RealEnv(), options, metrics);
  CHECK(store.ok(), store.status().ToString());
  auto snapshot = (*store)->Read(kName);
  CHECK(snapshot.ok(), snapshot.status().ToString());
  ScanPool pool(arguments.threads - 1);
  Limits limits;
  limits.pool = &pool;
  limits.threads = arguments.threads;
  for (const BenchCase& bench : kCases) {
    const auto& wanted = arguments.cases;
    const bool run =
        wanted.empty() || std::find(wanted.begin(), wanted.end(), bench.name) != wanted.end();
    if (run) Measure(**snapshot, bench, limits, arguments.repeat);
  }
  return 0;
}

}  // namespace
}  // namespace kelp::query

int main(int argc, char** argv) { return kelp::query::Main(argc, argv); }
