// MergedSnapshot: several logstores read as one; every row says which it is of.
//
//   MergedSnapshot all({{"shop/web", web}, {"shop/db", db}});
//   Search(all, query, request);            // merged by time; Row::logstore is set
//
// Histograms, statistics and patterns work over it as over any snapshot.
//
// Owns:     shares the snapshots.
// Threads:  immutable.
// Tests:    statistics_test.cc
#ifndef KELP_QUERY_MERGED_SNAPSHOT_H_
#define KELP_QUERY_MERGED_SNAPSHOT_H_

#include <memory>
#include <string>
#include <vector>

#include "store/snapshot.h"

namespace kelp::query {

class MergedSnapshot final : public store::Snapshot {
 public:
  struct Source {
    std::string logstore;  // as rows shall show it; different for each
    std::shared_ptr<const store::Snapshot> snapshot;
  };
  explicit MergedSnapshot(std::vector<Source> sources);

  std::span<const std::shared_ptr<const store::Block>> blocks() const override { return blocks_; }
  // The sum of the versions: grows with each commit to any of them.
  uint64_t version() const override { return version_; }
  std::string_view SourceOf(size_t block) const override {
    return sources_[source_of_[block]].logstore;
  }

 private:
  std::vector<Source> sources_;
  std::vector<std::shared_ptr<const store::Block>> blocks_;
  std::vector<uint32_t> source_of_;  // by block
  uint64_t version_ = 0;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_MERGED_SNAPSHOT_H_
