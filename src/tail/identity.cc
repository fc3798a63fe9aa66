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

Result<Guard> GuardBefore(File& file, uint64_t end) {
  char before[Guard::kBytesMax];
  const uint32_t bytes = Guard::BytesBefore(end);
  ASSIGN_OR_RETURN(const size_t n, file.ReadAt(end - bytes, before, bytes));
  return n == bytes ? Guard::Of(end, before) : Guard();
}

Result<bool> GuardHolds(File& file, const Guard& guard) {
  if (guard.end == 0) return true;
  char before[Guard::kBytesMax];
  const uint32_t bytes = guard.bytes();
  ASSIGN_OR_RETURN(const size_t n, file.ReadAt(guard.end - bytes, before, bytes));
  return n == bytes && guard.Matches(before);
}

uint64_t Marks::PlaceOf(size_t i) {
  constexpr size_t kEights = 8;
  constexpr size_t kSteps = kEights + 15;  // from there on, 8 to each doubling
  if (i < kEights) return 8 * (i + 1);
  if (i < kSteps) return 64 * (i - kEights + 2);
  return (9 + (i - kSteps) % 8) << (7 + (i - kSteps) / 8);
}

uint64_t Marks::PlaceBefore(uint64_t size) {
  uint64_t place = 0;
  for (size_t i = 0; i < kMax && PlaceOf(i) <= size; ++i) place = PlaceOf(i);
  return place;
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

void Marks::CutTo(uint64_t size) {
  while (!hashes_.empty() && PlaceOf(hashes_.size() - 1) > size) hashes_.pop_back();
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

Result<uint64_t> Marks::HeldTo(File& file, uint64_t size) const {
  uint64_t held = 0;
  for (size_t i = 0; i < hashes_.size() && PlaceOf(i) <= size; ++i) {
    if (hashes_[i] == 0) continue;
    char before[Guard::kBytesMax];
    const uint32_t bytes = Guard::BytesBefore(PlaceOf(i));
    ASSIGN_OR_RETURN(const size_t n, file.ReadAt(PlaceOf(i) - bytes, before, bytes));
    if (n != bytes || HashBefore(PlaceOf(i), before) != hashes_[i]) return uint64_t{0};
    held = PlaceOf(i);
  }
  return held == PlaceBefore(size) ? held : 0;
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
