// kelp_store_bench: what ingest, size and reading cost on the mix of bench_rows.h.
//
//   kelp_store_bench [--rows N] [--keep DIR] [--batch ROWS]
//
// Prints one JSON line per case. CPU time is of the whole process; making and encoding the rows is
// measured alone first and subtracted. --keep leaves the data (project "bench", logstore "mix").
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/env.h"
#include "codec/kelp_batch.h"
#include "store/bench_rows.h"
#include "store/layout.h"
#include "store/store.h"
#include "store/tokens.h"

namespace kelp::store {
namespace {

const LogstoreName kName{"bench", "mix"};

struct Arguments {
  uint64_t rows = 5'000'000;
  uint32_t batch_rows = 5'000;
  std::string dir;
  bool keep = false;
};

double CpuSeconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double PeakMegabytes() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::string Machine() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

void Print(std::string_view name, const std::string& figures) {
  fmt::print("{{\"case\":\"{}\",{},\"machine\":\"{}\"}}\n", name, figures, Machine());
  std::fflush(stdout);
}

// Midnight (UTC) of the day before this one: all rows are of one day.
UnixNanos StartOfRows() { return (int64_t{DayOf(RealEnv().clock().Now())} - 1) * kNanosPerDay; }

struct GeneratorCost {
  double make = 0;
  double decode = 0;
  uint64_t encoded_bytes = 0;
};

GeneratorCost MeasureGenerator(const Arguments& arguments) {
  GeneratorCost cost;
  BenchRows source(arguments.rows, StartOfRows());
  codec::BatchSetEncoder encoder;
  const double begin = CpuSeconds();
  while (true) {
    const std::vector<BatchPtr> batches = source.Next(arguments.batch_rows);
    if (batches.empty()) break;
    for (const BatchPtr& batch : batches) encoder.Add(*batch, 0);
    const std::string encoded = encoder.Finish();
    cost.encoded_bytes += encoded.size();
    const double before = CpuSeconds();
    CHECK(codec::DecodeBatchSet(encoded).ok(), "what was encoded can be decoded");
    cost.decode += CpuSeconds() - before;
  }
  cost.make = CpuSeconds() - begin - cost.decode;
  return cost;
}

void Ingest(const Arguments& arguments, Store& store, uint64_t& raw_bytes) {
  // As many requests at once as a busy server has.
  constexpr int kInFlight = 8;
  BenchRows source(arguments.rows, StartOfRows());
  codec::BatchSetEncoder encoder;
  std::atomic<int> in_flight{0};
  while (true) {
    BatchSet set{source.Next(arguments.batch_rows), {}};
    if (set.batches.empty()) break;
    for (const BatchPtr& batch : set.batches) encoder.Add(*batch, 0);
    set.encoded = encoder.Finish();
    for (int n = in_flight.load(); n >= kInFlight; n = in_flight.load()) in_flight.wait(n);
    ++in_flight;
    store.Append(kName, std::move(set), [&](Result<AppendResult> result) {
      CHECK(result.ok(), result.status().ToString());
      --in_flight;
      in_flight.notify_one();
    });
  }
  for (int n = in_flight.load(); n > 0; n = in_flight.load()) in_flight.wait(n);
  const Status status = store.Flush();
  CHECK(status.ok(), status.ToString());
  raw_bytes = source.raw_bytes();
}

// Runs `f` three times and gives the CPU milliseconds of the best.
template <typename F>
double BestMilliseconds(F&& f) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double begin = CpuSeconds();
    f();
    best = std::min(best, (CpuSeconds() - begin) * 1e3);
  }
  return best;
}

void Read(Store& store) {
  const auto snapshot = *store.Read(kName);
  uint64_t sum = 0;
  const double times = BestMilliseconds([&] {
    BlockReader reader;
    for (const auto& block : snapshot->blocks()) {
      reader.Open(*block);
      sum += static_cast<uint64_t>((*reader.Times()).back());
    }
  });
  Print("store_times",
        fmt::format("\"cpu_ms\":{:.1f},\"blocks\":{}", times, snapshot->blocks().size()));
  size_t candidates = 0;
  const uint64_t absent[] = {TokenHash("wordthatisnowhere")};
  const double skip = BestMilliseconds([&] {
    candidates = 0;
    for (const auto& block : snapshot->blocks()) candidates += block->MayContainTokens(-1, absent);
  });
  Print("store_absent_token", fmt::format("\"cpu_ms\":{:.2f},\"blocks\":{},\"candidates\":{}", skip,
                                          snapshot->blocks().size(), candidates));
  const uint64_t rare[] = {TokenHash(BenchRows::kRareWord)};
  for (const auto& block : snapshot->blocks()) candidates += block->MayContainTokens(-1, rare);
  const double scan = BestMilliseconds([&] {
    BlockReader reader;
    for (const auto& block : snapshot->blocks()) {
      reader.Open(*block);
      sum += (*reader.Column(0))->data.size();
    }
  });
  Print("store_body_decode", fmt::format("\"cpu_ms\":{:.0f},\"checksum\":{}", scan, sum % 97));
}

void Run(const Arguments& arguments) {
  const GeneratorCost cost = MeasureGenerator(arguments);
  MetricRegistry metrics;
  StoreOptions options;
  options.dir = arguments.dir;
  auto opened = Store::Open(RealEnv(), options, metrics);
  CHECK(opened.ok(), opened.status().ToString());
  Store& store = **opened;
  CHECK(store.PutLogstore(kName, {}).ok(), "cannot make the logstore");
  const Duration wall_begin = RealEnv().clock().Monotonic();
  const double begin = CpuSeconds();
  uint64_t raw = 0;
  Ingest(arguments, store, raw);
  const double cpu = CpuSeconds() - begin - cost.make;
  const Duration wall = RealEnv().clock().Monotonic() - wall_begin;
  const auto rows = static_cast<double>(arguments.rows);
  const LogstoreStats stats = *store.Stats(kName);
  Print("store_ingest",
        fmt::format("\"rows_per_cpu_s\":{:.0f},\"rows_per_cpu_s_with_decode\":{:.0f},"
                    "\"mb_per_cpu_s\":{:.0f},\"bytes_per_row\":{:.2f},\"raw_bytes_per_row\":{:.1f},"
                    "\"wire_bytes_per_row\":{:.1f},\"rss_mb\":{:.0f},\"cpu_s\":{:.2f},"
                    "\"generator_cpu_s\":{:.2f},\"wall_s\":{:.2f},\"segments\":{}",
                    rows / cpu, rows / (cpu + cost.decode), static_cast<double>(raw) / cpu / 1e6,
                    static_cast<double>(stats.bytes) / rows, static_cast<double>(raw) / rows,
                    static_cast<double>(cost.encoded_bytes) / rows, PeakMegabytes(), cpu, cost.make,
                    std::chrono::duration<double>(wall).count(), stats.segments));
  const double merge_begin = CpuSeconds();
  CHECK(store.Maintain().ok(), "merge failed");
  const LogstoreStats merged = *store.Stats(kName);
  Print("store_merge", fmt::format("\"cpu_ms\":{:.0f},\"bytes_per_row\":{:.2f},\"segments\":{}",
                                   (CpuSeconds() - merge_begin) * 1e3,
                                   static_cast<double>(merged.bytes) / rows, merged.segments));
  Read(store);
}

int Main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view key = argv[i];
    if (key == "--rows") {
      arguments.rows = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (key == "--batch") {
      arguments.batch_rows = static_cast<uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    } else if (key == "--keep") {
      arguments.dir = argv[i + 1];
      arguments.keep = true;
    } else {
      argc = 0;
    }
  }
  if (argc % 2 == 0 || arguments.rows == 0 || arguments.batch_rows == 0) {
    fmt::print(stderr, "usage: kelp_store_bench [--rows N] [--batch ROWS] [--keep DIR]\n");
    return 64;
  }
  if (arguments.dir.empty()) {
    char name[] = "/tmp/kelp_store_bench.XXXXXX";
    CHECK(::mkdtemp(name) != nullptr, "cannot make a folder in /tmp");
    arguments.dir = name;
  }
  Run(arguments);
  if (!arguments.keep) RealEnv().files().RemoveTree(arguments.dir).IgnoreError();
  return 0;
}

}  // namespace
}  // namespace kelp::store

int main(int argc, char** argv) { return kelp::store::Main(argc, argv); }
