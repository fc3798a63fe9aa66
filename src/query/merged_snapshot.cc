#include "query/merged_snapshot.h"

#include <algorithm>

namespace kelp::query {

MergedSnapshot::MergedSnapshot(std::vector<Source> sources) : sources_(std::move(sources)) {
  struct Item {
    UnixNanos newest;
    uint32_t source;
    const std::shared_ptr<const store::Block>* block;
  };
  std::vector<Item> items;
  for (uint32_t i = 0; i < sources_.size(); ++i) {
    version_ += sources_[i].snapshot->version();
    for (const auto& block : sources_[i].snapshot->blocks()) {
      items.push_back({block->time_max(), i, &block});
    }
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.newest > b.newest; });
  for (const Item& item : items) {
    blocks_.push_back(*item.block);
    source_of_.push_back(item.source);
  }
}

}  // namespace kelp::query
