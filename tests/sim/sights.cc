#include "sights.h"

#include <algorithm>

#include "tail/identity.h"

namespace kelp::sim {
namespace {

// A copy is looked for (TailOptions::copy_wait), then positions are stored.
constexpr Duration kConcluded = 3s;

}  // namespace

void Sights::Looked(uint64_t file, uint64_t size) {
  const auto it = cuts_.find(file);
  if (it == cuts_.end() || it->second.seen_at != Duration(0)) return;
  it->second.seen_at = clock_.Monotonic();
  if (size != it->second.length) oracle_.MayComeAgain(file, it->second.length);
}

void Sights::Read(uint64_t file, uint64_t end) {
  uint64_t& read = read_[file];
  read = std::max(read, end);
}

bool Sights::Concluded(const CutFile& cut) const {
  return cut.seen_at != Duration(0) && clock_.Monotonic() - cut.seen_at >= kConcluded;
}

void Sights::AgentDied() {
  for (auto& [file, cut] : cuts_) {
    if (Concluded(cut)) continue;
    Unnoticed(file, cut);
    if (std::exchange(cut.seen_at, Duration(0)) != Duration(0)) {
      oracle_.MayComeAgain(file, cut.length);
    }
  }
}

void Sights::Unnoticed(uint64_t file, const CutFile& cut) {
  for (const auto& [origin, c] : checkpoints_.store.Contents()) {
    const bool same = c.identity.key.inode == cut.inode && c.identity.born == cut.born;
    if (same && c.resume <= cut.length) oracle_.MayLookRepeated(file, cut.length, cut.read);
  }
}

void Sights::Cut(const Node& file, uint64_t length, bool agent_lives) {
  uint64_t& read = read_[file.serial];
  uint64_t read_before = read;
  const auto before = cuts_.find(file.serial);
  if (before != cuts_.end() && !Concluded(before->second)) {
    oracle_.MayComeAgain(file.serial, before->second.length);
    read_before = std::max(read, before->second.read);
  }
  cuts_.erase(file.serial);
  if (length > 0 && read_before > length) {
    const CutFile cut{file.number, file.born, length, read_before, Duration(0)};
    cuts_[file.serial] = cut;
    if (length < tail::Fingerprint::kBytesMax) oracle_.MayComeAgain(file.serial, length);
    if (!agent_lives) Unnoticed(file.serial, cut);
  }
  read = std::min(read, length);
}

uint64_t Sights::ReadOf(uint64_t file) const {
  const auto it = read_.find(file);
  return it == read_.end() ? 0 : it->second;
}

}  // namespace kelp::sim
