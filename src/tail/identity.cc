#include "tail/identity.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>

namespace kelp::tail {
namespace {

bool AllNul(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == '\0' && memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Where the data is at or behind `offset`: behind a hole of a sparse file, or its end.
uint64_t SkipHole(const File& file, uint64_t offset) {
  const int fd = file.descriptor();
  if (fd < 0) return offset;
  off_t data = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0 && errno == ENXIO) data = lseek(fd, 0, SEEK_END);
  return data < static_cast<off_t>(offset) ? offset : static_cast<uint64_t>(data);
}

}  // namespace

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

std::string_view WithoutNuls(std::string_view text) {
  constexpr size_t kAtOnce = 4096;
  size_t size = text.size();
  while (size >= kAtOnce && AllNul(text.substr(size - kAtOnce, kAtOnce))) size -= kAtOnce;
  while (size > 0 && text[size - 1] == '\0') --size;
  return text.size() - size >= 2 ? text.substr(0, size) : text;
}

Result<Text> FindText(File& file, uint64_t from) {
  std::string bytes(size_t{64} << 10, '\0');
  for (uint64_t looked_at = 0; looked_at < kNulsMax; looked_at += bytes.size()) {
    from = SkipHole(file, from);
    ASSIGN_OR_RETURN(const size_t n, file.ReadAt(from, bytes.data(), bytes.size()));
    const std::string_view read(bytes.data(), n);
    if (!AllNul(read)) return Text{Text::kFound, from + read.find_first_not_of('\0')};
    from += n;
    if (n < bytes.size()) return Text{Text::kNone, from};
  }
  return Text{Text::kTooFar, from};
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
  size_t places = hashes_.size();
  while (places < kMax && PlaceOf(places) <= end) ++places;
  if (places == hashes_.size()) return;
  hashes_.reserve(places);  // no more than that: ten thousand files rest
  for (size_t i = hashes_.size(); i < places; ++i) {
    const uint64_t from = PlaceOf(i) - Guard::BytesBefore(PlaceOf(i));
    // What was skipped over is not known, and NULs are no evidence.
    const char* const before = bytes.data() + (from < offset ? 0 : from - offset);
    const bool known = from >= offset && !AllNul({before, Guard::BytesBefore(PlaceOf(i))});
    hashes_.push_back(known ? HashBefore(PlaceOf(i), before) : 0);
  }
}

uint64_t Marks::CommonTo(const Marks& other) const {
  const size_t both = std::min(hashes_.size(), other.hashes_.size());
  const auto differ = std::mismatch(hashes_.begin(), hashes_.begin() + static_cast<ptrdiff_t>(both),
                                    other.hashes_.begin());
  const auto same = static_cast<size_t>(differ.first - hashes_.begin());
  return same == 0 ? 0 : PlaceOf(same - 1);
}

void Marks::CutTo(uint64_t size) {
  while (!hashes_.empty() && PlaceOf(hashes_.size() - 1) > size) hashes_.pop_back();
}

bool Marks::Match(uint64_t offset, std::string_view text) const {
  bool any = false;
  for (size_t i = 0; i < hashes_.size() && PlaceOf(i) <= offset + text.size(); ++i) {
    const uint64_t from = PlaceOf(i) - Guard::BytesBefore(PlaceOf(i));
    if (hashes_[i] == 0 || from < offset) continue;
    if (HashBefore(PlaceOf(i), text.data() + (from - offset)) != hashes_[i]) return false;
    any = true;
  }
  return any;
}

Result<bool> Marks::Fit(File& file, uint64_t size) const {
  for (size_t i = 0; i < hashes_.size() && PlaceOf(i) <= size; ++i) {
    if (hashes_[i] == 0) continue;
    char before[Guard::kBytesMax];
    const uint32_t bytes = Guard::BytesBefore(PlaceOf(i));
    ASSIGN_OR_RETURN(const size_t n, file.ReadAt(PlaceOf(i) - bytes, before, bytes));
    if (n != bytes || HashBefore(PlaceOf(i), before) != hashes_[i]) return false;
  }
  return true;
}

Result<uint64_t> Marks::HeldTo(File& file, uint64_t size) const {
  const uint64_t last = PlaceBefore(size);
  size_t places = 0;
  while (places < hashes_.size() && PlaceOf(places) <= size) ++places;
  if (places == 0 || hashes_[places - 1] == 0 || PlaceOf(places - 1) != last) return uint64_t{0};
  ASSIGN_OR_RETURN(const bool fit, Fit(file, size));
  return fit ? last : uint64_t{0};
}

bool MayBeginAs(const Fingerprint& print, const Marks& marks, const Head& head) {
  if (head.size() < print.bytes) return marks.Match(head.at, head);
  return print.bytes > 0 && print.Matches(head);
}

Result<Head> ReadHead(File& file) {
  // A few more, to tell what ends in NULs.
  constexpr size_t kMore = 8;
  Head head;
  for (bool looked = false;; looked = true) {
    head.bytes.resize(Fingerprint::kBytesMax + kMore);
    ASSIGN_OR_RETURN(const size_t n, file.ReadAt(head.at, head.bytes.data(), head.bytes.size()));
    head.bytes.resize(n);
    if (!looked && n > 0 && head.bytes[0] == '\0') {
      ASSIGN_OR_RETURN(const Text text, FindText(file, 0));
      head.at = text.state == Text::kTooFar ? 0 : text.at;
      continue;
    }
    if (head.bytes.empty() || head.bytes[0] != '\0') {
      head.bytes.resize(WithoutNuls(head.bytes).size());
    }
    head.bytes.resize(std::min(head.bytes.size(), Fingerprint::kBytesMax));
    return head;
  }
}

}  // namespace kelp::tail
