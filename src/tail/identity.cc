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

bool IsCompressed(std::string_view head) {
  for (const std::string_view magic :
       {std::string_view("\x1f\x8b"), std::string_view("\x28\xb5\x2f\xfd"), std::string_view("BZh"),
        std::string_view("\xfd"
                         "7zXZ")}) {
    if (head.substr(0, magic.size()) == magic) return true;
  }
  return false;
}

Guard Guard::Of(uint64_t end, const char* before) {
  return {end, end == 0 ? 0 : XXH3_64bits(before, BytesBefore(end))};
}

Result<bool> GuardHolds(File& file, const Guard& guard) {
  if (guard.end == 0) return true;
  char before[Guard::kBytesMax];
  const uint32_t bytes = guard.bytes();
  ASSIGN_OR_RETURN(const size_t n, file.ReadAt(guard.end - bytes, before, bytes));
  return n == bytes && guard.Matches(before);
}

Result<std::string> ReadHead(File& file) {
  std::string head(Fingerprint::kBytesMax, '\0');
  ASSIGN_OR_RETURN(const size_t n, file.ReadAt(0, head.data(), head.size()));
  head.resize(n);
  return head;
}

}  // namespace kelp::tail
