#include "losses.h"

#include <algorithm>

namespace kelp::sim {
namespace {

uint64_t Above(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

Losses::Content Losses::Now(uint64_t file) const {
  const auto it = emptied_.find(file);
  return {file, it == emptied_.end() ? 0 : it->second};
}

uint64_t Losses::InCopy(const Content& content, bool findable_only) const {
  const auto it = copies_.find(content);
  if (it == copies_.end() || (findable_only && !it->second.findable)) return 0;
  const std::shared_ptr<Node> node = it->second.node.lock();
  return node != nullptr && node->links > 0 ? it->second.bytes : 0;
}

std::shared_ptr<const tail::FileSource> Losses::Reader(const Content& content) const {
  const auto reader = readers_.find(content);
  return reader == readers_.end() ? nullptr : reader->second.lock();
}

// --- the agent ---

void Losses::AgentStarts() {
  for (const auto& [origin, c] : checkpoints_.store.Contents()) {
    if (c.vanished != kNoTime) continue;
    const auto content = contents_.find(origin);
    if (content == contents_.end()) continue;
    const auto destroyed = destroyed_.find(content->second);
    if (destroyed == destroyed_.end()) continue;
    const uint64_t known =
        std::min(destroyed->second.size, std::max({c.resume, c.guard.end, c.seen}));
    Owe(origin, Above(known, std::max(c.resume, destroyed->second.kept)),
        "known by what was stored");
  }
}

void Losses::AgentDied() {
  for (const std::shared_ptr<Node>& node : std::exchange(held_, {})) {
    readers_.erase(Now(node->serial));
    Destroy(Now(node->serial), node->data.size());
  }
  readers_.clear();
  owed_.clear();
  reported_.clear();
  reported_total_ = 0;
}

void Losses::Added(const std::shared_ptr<tail::FileSource>& source) {
  const std::shared_ptr<File> file = source->file();
  const uint64_t serial = file == nullptr ? 0 : SimFileSystem::SerialOf(*file);
  if (serial != 0) contents_[source->origin()] = Now(serial);
  const auto it = contents_.find(source->origin());
  if (it != contents_.end()) readers_[it->second] = source;
}

uint64_t Losses::MostFor(const Content& content, uint64_t position) const {
  const auto cut = cut_bytes_.find(content.first);
  const uint64_t of_cuts = cut == cut_bytes_.end() ? 0 : cut->second;
  const auto it = destroyed_.find(content);
  if (!exact_ && (of_cuts > 0 || emptied_.contains(content.first) || it != destroyed_.end())) {
    return UINT64_MAX;
  }
  if (it == destroyed_.end()) return of_cuts;
  return of_cuts + Above(it->second.size, std::max(position, InCopy(content, true)));
}

void Losses::Reported(const tail::FileSource& source, const pipeline::Loss& loss) {
  history_.Say("agent", "reports {} bytes of {} lost ({})", loss.bytes,
               source.origin().ToString().substr(0, 6), loss.cause);
  uint64_t& reported = reported_[source.origin()];
  reported += loss.bytes;
  reported_total_ += loss.bytes;
  const auto content = contents_.find(source.origin());
  if (content == contents_.end()) return;  // it was begun in a compressed file
  const uint64_t most = MostFor(content->second, source.position());
  if (reported > most) {
    oracle_.Fail(fmt::format("losses: {} of {} bytes are reported as lost ({}), at most {} are",
                             source.Info().name, reported, loss.cause, most));
  }
}

void Losses::CheckAllReported() {
  for (const auto& [origin, owed] : owed_) {
    const auto it = reported_.find(origin);
    const uint64_t reported = it == reported_.end() ? 0 : it->second;
    if (reported >= (exact_ ? owed : 1)) continue;
    oracle_.Fail(fmt::format("losses: {} bytes of origin {} are lost and known to be, {} reported",
                             owed, origin.ToString().substr(0, 6), reported));
  }
}

// --- files ---

void Losses::Owe(const OriginId& origin, uint64_t bytes, std::string_view why) {
  if (bytes == 0 || !count_owed_) return;
  owed_[origin] += bytes;
  history_.Say("losses", "{} bytes of {} are lost ({})", bytes, origin.ToString().substr(0, 6),
               why);
}

void Losses::Destroy(const Content& content, uint64_t size) {
  const uint64_t kept = InCopy(content, false);
  destroyed_[content] = {size, kept};
  const auto source = Reader(content);
  if (source == nullptr) return;
  const uint64_t seen = std::min(size, sights_.SeenOf(content.first));
  Owe(source->origin(), Above(seen, std::max(source->position(), kept)), "seen");
}

void Losses::Emptied(const Node& file, uint64_t kept, const std::shared_ptr<Node>& copy,
                     bool findable) {
  const Content content = Now(file.serial);
  if (copy != nullptr) copies_[content] = {copy, kept, findable};
  Destroy(content, file.data.size());
  ++emptied_[file.serial];
  const auto source = Reader(content);
  // Who has seen nothing of it goes on with the next.
  if (source == nullptr || source->Evidence().first.bytes > 0) return;
  contents_[source->origin()] = Now(file.serial);
  readers_[Now(file.serial)] = readers_[content];
}

void Losses::CutTo(const Node& file, uint64_t length) {
  cut_bytes_[file.serial] += Above(file.data.size(), length);
  const auto source = Reader(Now(file.serial));
  // What was read of a line that is not complete is not remembered.
  if ((source == nullptr ? sights_.ReadOf(file.serial) : source->position()) <= length) return;
  if (source != nullptr) {
    const uint64_t seen = std::min<uint64_t>(file.data.size(), sights_.SeenOf(file.serial));
    Owe(source->origin(), Above(seen, std::max(source->position(), length)), "seen");
  }
  ++emptied_[file.serial];  // what is left is read on as another origin
}

void Losses::SeenShorter(uint64_t file, uint64_t before, uint64_t now) {
  const auto source = Reader(Now(file));
  if (source != nullptr) {
    Owe(source->origin(), Above(before, std::max(source->position(), now)), "seen shorter");
  }
}

void Losses::Unlinked(const Node& file) { Destroy(Now(file.serial), file.data.size()); }

void Losses::Packed(const std::shared_ptr<Node>& file, const std::shared_ptr<Node>& packed,
                    bool findable) {
  for (auto& [content, copy] : copies_) {
    if (copy.node.lock() == file) copy.node = packed;
  }
  copies_[Now(file->serial)] = {packed, file->data.size(), findable};
}

}  // namespace kelp::sim
