#include "sights.h"

#include <algorithm>

#include "tail/identity.h"

namespace kelp::sim {
namespace {

// A copy is looked for (TailOptions::copy_wait), then positions are stored.
constexpr Duration kConcluded = 3s;

}  // namespace

void Sights::Looked(uint64_t file, uint64_t size, bool by_name) {
  if (!by_name) {
    uint64_t& seen = seen_[file];
    if (size < seen && on_shorter) on_shorter(file, seen, size);
    seen = size;
  }
  const auto it = cuts_.find(file);
  if (it == cuts_.end() || it->second.seen_at != Duration(0)) return;
  it->second.seen_at = clock_.Monotonic();
  const uint64_t length = it->second.length;
  // The agent compares up to its last mark, and skips what was acknowledged.
  uint64_t skipped = size == length ? tail::Marks::PlaceBefore(length) : 0;
  skipped = std::min(skipped, StoredOf(it->second));
  oracle_.MayComeAgain(file, skipped, length);
}

void Sights::Read(uint64_t file, uint64_t end) {
  uint64_t& read = read_[file];
  read = std::max(read, end);
}

bool Sights::Concluded(const CutFile& cut) const {
  return cut.seen_at != Duration(0) && clock_.Monotonic() - cut.seen_at >= kConcluded;
}

void Sights::AgentDied() {
  seen_.clear();
  for (auto& [file, cut] : cuts_) {
    if (Concluded(cut)) continue;
    Unnoticed(file, cut);
    if (std::exchange(cut.seen_at, Duration(0)) != Duration(0)) {
      oracle_.MayComeAgain(file, 0, cut.length);
    }
  }
}

void Sights::Unnoticed(uint64_t file, const CutFile& cut) {
  for (const auto& [origin, c] : checkpoints_.store.Contents()) {
    const bool same = c.identity.key.inode == cut.inode && c.identity.born == cut.born;
    if (same && c.resume <= cut.length) oracle_.MayLookRepeated(file, cut.length, cut.read);
    if (same && c.resume == 0) oracle_.MayComeAgain(file, 0, cut.length);
  }
}

// The position that is stored of it.
uint64_t Sights::StoredOf(const CutFile& cut) const {
  const tail::Checkpoint* newest = nullptr;
  const auto contents = checkpoints_.store.Contents();
  for (const auto& [origin, c] : contents) {
    const bool same = c.identity.key.inode == cut.inode && c.identity.born == cut.born;
    if (same && (newest == nullptr || c.ordinal > newest->ordinal)) newest = &c;
  }
  return newest == nullptr ? 0 : newest->resume;
}

void Sights::Cut(const Node& file, uint64_t length, bool agent_lives) {
  uint64_t& read = read_[file.serial];
  uint64_t read_before = read;
  const auto before = cuts_.find(file.serial);
  if (before != cuts_.end() && !Concluded(before->second)) {
    oracle_.MayComeAgain(file.serial, 0, before->second.length);
    read_before = std::max(read, before->second.read);
  }
  cuts_.erase(file.serial);
  if (length > 0 && read_before > length) {
    const CutFile cut{file.number, file.born, length, read_before, Duration(0)};
    cuts_[file.serial] = cut;
    if (length < kLeftBytesMin) oracle_.MayComeAgain(file.serial, 0, length);
    if (!agent_lives) Unnoticed(file.serial, cut);
  }
  // What was not cut as far down goes on, and only who looks in time sees that it was shorter.
  if (length == 0 || read > length) seen_[file.serial] = std::min(SeenOf(file.serial), length);
  read = std::min(read, length);
}

uint64_t Sights::SeenOf(uint64_t file) const {
  const auto it = seen_.find(file);
  return it == seen_.end() ? 0 : it->second;
}

uint64_t Sights::ReadOf(uint64_t file) const {
  const auto it = read_.find(file);
  return it == read_.end() ? 0 : it->second;
}

}  // namespace kelp::sim
