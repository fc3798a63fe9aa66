// The 5 M-row mix that store figures are measured on: six message templates, 200 pods in 10
// namespaces on 10 nodes, 3 containers a pod, 5 levels, microsecond times over 24 hours, a rare
// word in every 50 000th row. The same seed gives the same rows.
//
// Place:    store_bench.cc; benches of the query engine read what it left behind (--keep).
// Threads:  confined to one.
#ifndef KELP_STORE_BENCH_ROWS_H_
#define KELP_STORE_BENCH_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "batch/batch.h"

namespace kelp::store {

class BenchRows {
 public:
  static constexpr uint32_t kNodes = 10;
  static constexpr uint32_t kPodsPerNode = 20;
  static constexpr uint32_t kContainers = 3;
  static constexpr uint32_t kNamespaces = 10;
  static constexpr uint64_t kRareEvery = 50'000;
  static constexpr std::string_view kRareWord = "quixotic_zebra";

  // Rows spread over the 24 hours that begin at `start`.
  BenchRows(uint64_t rows, UnixNanos start);

  // What one agent sends at once: about `rows` rows of its node, a batch for each container that
  // logged. Empty when all rows are out.
  std::vector<BatchPtr> Next(uint32_t rows);
  uint64_t rows_made() const { return made_; }
  uint64_t raw_bytes() const { return raw_bytes_; }

 private:
  struct Source {
    OriginId origin;
    ResourcePtr resource;
    uint64_t offset = 0;
  };
  uint64_t Random();
  uint32_t Random(uint32_t below) { return static_cast<uint32_t>((Random() >> 32) * below >> 32); }
  void WriteMessage(std::string& out);
  void AddRow(Batch& batch, Source& source, UnixNanos time);

  const uint64_t rows_;
  const UnixNanos start_;
  const double step_;  // nanoseconds between rows of one node
  uint64_t state_ = 0x9E3779B97F4A7C15ull;
  uint64_t made_ = 0;
  uint64_t raw_bytes_ = 0;
  uint64_t turn_ = 0;
  std::vector<double> node_time_;
  std::vector<Source> sources_;
  std::string message_;
};

}  // namespace kelp::store

#endif  // KELP_STORE_BENCH_ROWS_H_
