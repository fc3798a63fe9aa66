#include "tail/identity.h"

#include <xxhash.h>

#include <algorithm>

namespace kelp::tail {

Fingerprint Fingerprint::Of(std::string_view head) {
  const size_t bytes = std::min(head.size(), kBytesMax);
  return {static_cast<uint32_t>(bytes), bytes == 0 ? 0 : XXH3_64bits(head.data(), bytes)};
}

bool Fingerprint::Matches(std::string_view head) const {
  return head.size() >= bytes && Of(head.substr(0, bytes)).hash == hash;
}

Result<std::string> ReadHead(File& file) {
  std::string head(Fingerprint::kBytesMax, '\0');
  ASSIGN_OR_RETURN(const size_t n, file.ReadAt(0, head.data(), head.size()));
  head.resize(n);
  return head;
}

}  // namespace kelp::tail
