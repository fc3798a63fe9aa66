#include "batch/resource.h"

#include <xxhash.h>

#include <algorithm>

namespace kelp {

Resource::Resource(std::vector<Tag> tags) : tags_(std::move(tags)) {
  std::stable_sort(tags_.begin(), tags_.end(),
                   [](const Tag& a, const Tag& b) { return a.first < b.first; });
  // Keeps the last of equal keys: a later tag overrides an earlier one.
  std::vector<Tag> unique;
  unique.reserve(tags_.size());
  for (Tag& tag : tags_) {
    if (!unique.empty() && unique.back().first == tag.first) {
      unique.back().second = std::move(tag.second);
    } else {
      unique.push_back(std::move(tag));
    }
  }
  tags_ = std::move(unique);
  std::string joined;
  for (const auto& [key, value] : tags_) {
    joined += key;
    joined += '\0';
    joined += value;
    joined += '\0';
  }
  hash_ = XXH3_64bits(joined.data(), joined.size());
}

std::string_view Resource::Get(std::string_view key) const {
  const auto it =
      std::lower_bound(tags_.begin(), tags_.end(), key,
                       [](const Tag& tag, std::string_view k) { return tag.first < k; });
  return it != tags_.end() && it->first == key ? std::string_view(it->second) : "";
}

const ResourcePtr& Resource::Empty() {
  static const ResourcePtr empty = std::make_shared<const Resource>(std::vector<Tag>{});
  return empty;
}

}  // namespace kelp
