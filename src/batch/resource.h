// Resource: what all rows of an origin share: file path, namespace, pod, container, node, labels.
//
// An immutable, sorted set of tags. Keys follow OpenTelemetry's semantic conventions:
// log.file.path, k8s.namespace.name, k8s.pod.name, k8s.pod.uid, k8s.container.name,
// k8s.container.restart_count, k8s.node.name, host.name.
//
// Owns:     its strings. Shared by std::shared_ptr<const Resource>.
// Threads:  immutable.
#ifndef KELP_BATCH_RESOURCE_H_
#define KELP_BATCH_RESOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kelp {

class Resource {
 public:
  using Tag = std::pair<std::string, std::string>;

  // Sorts by key; of two tags with one key the last one stays.
  explicit Resource(std::vector<Tag> tags);

  const std::vector<Tag>& tags() const { return tags_; }
  // Empty when there is no such tag.
  std::string_view Get(std::string_view key) const;
  // Depends on the tags only; equal resources hash alike, also in another process.
  uint64_t hash() const { return hash_; }
  bool operator==(const Resource& other) const { return tags_ == other.tags_; }

  // The resource without tags.
  static const std::shared_ptr<const Resource>& Empty();

 private:
  std::vector<Tag> tags_;
  uint64_t hash_;
};

using ResourcePtr = std::shared_ptr<const Resource>;

}  // namespace kelp

#endif  // KELP_BATCH_RESOURCE_H_
