// kelp_sql_bench: what statements cost over the 5 M rows of store/bench_rows.h.
//
//   kelp_sql_bench --store DIR [--repeat N] [--threads N] ['STATEMENT'...]
//
// DIR is what `kelp_store_bench --keep DIR` left. Prints one JSON line per statement: CPU time of
// the process while it ran, the best of N runs after a first one.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "sql/sql.h"
#include "store/store.h"

namespace kelp::sql {
namespace {

const store::LogstoreName kName{"bench", "mix"};

class CountingSink final : public RowSink {
 public:
  void Start(const std::vector<ResultColumn>&) override { rows = 0; }
  bool Row(std::span<const Cell>) override { return ++rows > 0; }
  uint64_t rows = 0;
};

double Millis(Duration d) { return static_cast<double>(d.count()) / 1e6; }

int Measure(const store::Snapshot& snapshot, const Engine& engine, const std::string& statement,
            int repeat) {
  query::ParseError error;
  const auto search = query::Parse("*", error);
  Request request;
  request.statement = statement;
  request.limits.time = 600s;
  request.limits.memory = 1_GiB;
  Outcome best;
  CountingSink sink;
  for (int i = 0; i <= repeat; ++i) {
    Outcome outcome;
    Problem problem;
    if (!engine.Run(snapshot, *search, request, sink, outcome, problem)) {
      std::fprintf(stderr, "kelp_sql_bench: %s\n", problem.status.ToString().c_str());
      return 1;
    }
    if (i <= 1 || outcome.stats.cpu < best.stats.cpu) best = outcome;
  }
  fmt::print(
      "{{\"statement\":\"{}\",\"cpu_ms\":{:.1f},\"wall_ms\":{:.1f},\"rows\":{},"
      "\"rows_scanned\":{}}}\n",
      statement, Millis(best.stats.cpu), Millis(best.stats.wall), sink.rows,
      best.stats.rows_scanned);
  return 0;
}

int Main(int argc, char** argv) {
  std::string dir;
  int repeat = 3, threads = 2;
  std::vector<std::string> statements;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--store" && i + 1 < argc) {
      dir = argv[++i];
    } else if (arg == "--repeat" && i + 1 < argc) {
      repeat = std::atoi(argv[++i]);
    } else if (arg == "--threads" && i + 1 < argc) {
      threads = std::atoi(argv[++i]);
    } else {
      statements.emplace_back(arg);
    }
  }
  if (dir.empty()) {
    std::fputs("usage: kelp_sql_bench --store DIR [--repeat N] [--threads N] ['STATEMENT'...]\n",
               stderr);
    return 64;
  }
  if (statements.empty()) {
    statements = {"SELECT count(*)",
                  "SELECT level, count(*) GROUP BY 1",
                  "SELECT k8s.pod.name, count(*) GROUP BY 1",
                  "SELECT date_trunc('minute', time), count(*) GROUP BY 1",
                  "SELECT date_trunc('minute', time), level, count(*) GROUP BY 1, 2",
                  "SELECT count(*) WHERE body LIKE '%timeout%'",
                  "SELECT * ORDER BY time DESC LIMIT 10"};
  }
  MetricRegistry metrics;
  auto store = store::Store::Open(RealEnv(), {.dir = dir}, metrics);
  if (!store.ok()) {
    std::fprintf(stderr, "kelp_sql_bench: %s\n", store.status().ToString().c_str());
    return 1;
  }
  const auto snapshot = (*store)->Read(kName);
  if (!snapshot.ok()) {
    std::fprintf(stderr, "kelp_sql_bench: %s\n", snapshot.status().ToString().c_str());
    return 1;
  }
  const Engine engine({"", threads});
  for (const std::string& statement : statements) {
    if (Measure(**snapshot, engine, statement, repeat) != 0) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace kelp::sql

int main(int argc, char** argv) { return kelp::sql::Main(argc, argv); }
