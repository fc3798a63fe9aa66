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

uint32_t Marks::HashBefore(uint64_t place, const char* before) {
  const auto hash = static_cast<uint32_t>(Guard::Of(place, before).hash);
  return hash == 0 ? 1 : hash;
}

void Marks::See(uint64_t offset, std::string_view bytes) {
  const uint64_t end = offset + bytes.size();
  for (size_t i = hashes_.size(); i < kMax && PlaceOf(i) <= end; ++i) {
    const uint64_t from = PlaceOf(i) - Guard::BytesBefore(PlaceOf(i));
    // What was skipped over is not known.
    hashes_.push_back(from < offset ? 0 : HashBefore(PlaceOf(i), bytes.data() + (from - offset)));
  }
}

bool Marks::Match(std::string_view text) const {
  bool any = false;
  for (size_t i = 0; i < hashes_.size() && PlaceOf(i) <= text.size(); ++i) {
    if (hashes_[i] == 0) continue;
    const uint64_t place = PlaceOf(i);
    if (HashBefore(place, text.data() + place - Guard::BytesBefore(place)) != hashes_[i]) {
      return false;
    }
    any = true;
  }
  return any;
}

Result<bool> Marks::Hold(File& file, uint64_t size) const {
  bool any = false;
  for (size_t i = 0; i < hashes_.size() && PlaceOf(i) <= size; ++i) {
    if (hashes_[i] == 0) continue;
    char before[Guard::kBytesMax];
    const uint32_t bytes = Guard::BytesBefore(PlaceOf(i));
    ASSIGN_OR_RETURN(const size_t n, file.ReadAt(PlaceOf(i) - bytes, before, bytes));
    if (n != bytes || HashBefore(PlaceOf(i), before) != hashes_[i]) return false;
    any = true;
  }
  return any;
}

bool MayBeginAs(const Fingerprint& print, const Marks& marks, std::string_view head) {
  if (head.size() < print.bytes) return marks.Match(head);
  return print.bytes > 0 && print.Matches(head);
}

Result<std::string> ReadHead(File& file) {
  std::string head(Fingerprint::kBytesMax, '\0');
  ASSIGN_OR_RETURN(const size_t n, file.ReadAt(0, head.data(), head.size()));
  head.resize(n);
  return head;
}

}  // namespace kelp::tail
