#include "rotators.h"

#include <algorithm>

#include "world.h"

namespace kelp::sim {

void Rotator::Again() {
  world_.After(world_.chance().Between(200ms, 2 * pause_mean_), [this] {
    if (!world_.chaos()) return;
    if (!busy_ && world_.disk().Exists(path()) && MayRotate()) {
      world_.Count(name());
      world_.history().Say("rotator", "{}: {}", name(), path());
      Rotate();
    }
    Again();
  });
}

bool Rotator::MayRotate() const { return world_.PathKnown(path()); }

void Rotator::TellWriter(Duration delay_max) {
  if (delay_max == Duration(0)) return writer_.Reopen();
  world_.After(world_.chance().Between(Duration(0), delay_max), [this] { writer_.Reopen(); });
}

void Rotator::ShiftChain(uint32_t keep, const std::string& suffix) {
  const auto at = [&](uint32_t i) { return path() + "." + std::to_string(i) + suffix; };
  uint32_t last = 0;
  while (world_.disk().Exists(at(last + 1))) ++last;
  for (; last > 0; --last) {
    if (last >= keep) {
      world_.Remove(at(last));
    } else {
      world_.Rename(at(last), at(last + 1));
    }
  }
}

bool NumberedRotator::MayRotate() const {
  std::shared_ptr<Node> node;
  if (!Rotator::MayRotate() || world_.disk().Find(path(), true, node) != 0) return false;
  return !options_.only_known || world_.ContentKnown(*node);
}

void NumberedRotator::Rotate() {
  ShiftChain(options_.keep, "");
  world_.Rename(path(), path() + ".1");
  if (options_.create) {
    std::unique_ptr<Handle> made;
    world_.disk().Open(path(), /*create=*/true, made);
  }
  TellWriter(options_.tell_max);
}

// --- dates ---

void DatedRotator::Rotate() {
  if (writer_.has_half()) writer_.Complete();
  rotated_.push_back(fmt::format("{}{}20261121-{:06}", path(), options_.separator, ++rotations_));
  world_.Rename(path(), rotated_.back());
  TellWriter(options_.tell_max);
  if (options_.packing != Packing::kNone) {
    // The writer has let go of it by then.
    const std::string file = options_.delay_compress && rotated_.size() > 1
                                 ? rotated_[rotated_.size() - 2]
                                 : rotated_.back();
    if (!options_.delay_compress || rotated_.size() > 1) {
      world_.After(options_.tell_max + world_.chance().Between(1ms, 500ms),
                   [this, file] { Compress(file); });
    }
  }
  if (rotated_.size() > options_.keep) {
    world_.Remove(rotated_.front());
    rotated_.erase(rotated_.begin());
  }
}

void DatedRotator::Compress(const std::string& file) {
  const auto it = std::find(rotated_.begin(), rotated_.end(), file);
  if (it == rotated_.end()) return;
  const std::string packed = file + PackedSuffix(options_.packing);
  world_.PackFile(file, packed, options_.packing);
  *it = packed;
}

// --- copytruncate ---

void CopyTruncateRotator::Rotate() {
  if (world_.disk().Open(path(), false, from_) != 0) return;
  ShiftChain(options_.keep, PackedSuffix(options_.packing));
  if (world_.disk().Open(path() + ".1", true, to_) != 0) return;
  busy_ = true;
  copied_ = 0;
  Step();
}

void CopyTruncateRotator::Step() {
  const std::string& data = from_->node().data;
  const std::string part = data.substr(std::min<size_t>(copied_, data.size()), options_.step_bytes);
  if (!part.empty()) {
    world_.disk().Append(*to_, part);
    copied_ += part.size();
  }
  const bool last = part.size() < options_.step_bytes;
  world_.After(world_.chance().Between(Duration(0), options_.step_max), [this, last] {
    if (last) {
      TruncateSource();
    } else {
      Step();
    }
  });
}

void CopyTruncateRotator::TruncateSource() {
  Node& source = from_->node();
  world_.history().Say("machine", "truncate {} of {} bytes, {} of them copied to inode {}", path(),
                       source.data.size(), copied_, to_->node().number);
  world_.oracle().Moved(source.serial, copied_, to_->node().serial);
  writer_.Cut(source, 0);
  world_.Emptied(*from_, copied_, to_->shared_node());
  if (options_.packing != Packing::kNone) {
    world_.PackFile(path() + ".1", path() + ".1" + PackedSuffix(options_.packing),
                    options_.packing);
  }
  from_.reset();
  to_.reset();
  busy_ = false;
}

// --- ends ---

bool Ender::MayRotate() const {
  if (!world_.PathKnown(path())) return false;
  return !options_.only_read || world_.AllArrivedOf(path());
}

void Ender::Truncate() {
  std::unique_ptr<Handle> file;
  if (world_.disk().Open(path(), false, file) != 0) return;
  Node& node = file->node();
  world_.history().Say("machine", "truncate {} of {} bytes (inode {})", path(), node.data.size(),
                       node.number);
  writer_.Cut(node, 0);
  world_.Emptied(*file, 0, nullptr);
}

uint64_t Ender::CutLength(const Node& node) {
  Chance& chance = world_.chance();
  const uint64_t size = node.data.size();
  const uint64_t read = world_.ReadOf(node);
  const uint64_t anywhere = chance.Between(1, size - 1);
  switch (chance.Below(4)) {
    case 0: {
      const size_t line_end = node.data.find('\n', anywhere - 1);
      return line_end + 1 < size ? line_end + 1 : anywhere;
    }
    case 1:
      return read > 1 ? chance.Between(1, std::min(read, size) - 1) : anywhere;
    case 2:
      return read + 1 < size ? chance.Between(read + 1, size - 1) : anywhere;
    default:
      return anywhere;
  }
}

void Ender::Cut() {
  std::unique_ptr<Handle> file;
  if (world_.disk().Open(path(), false, file) != 0) return;
  Node& node = file->node();
  if (node.data.size() < 2) return;
  const uint64_t length = CutLength(node);
  world_.history().Say("machine", "truncate {} of {} bytes, {} of them read, to {} (inode {})",
                       path(), node.data.size(), world_.ReadOf(node), length, node.number);
  writer_.Cut(node, length);
  world_.CutTo(*file, length);
}

void Ender::Rotate() {
  const EndKind kind = options_.kinds[world_.chance().Below(options_.kinds.size())];
  switch (kind) {
    case EndKind::kTruncate:
      world_.Count("truncate");
      return Truncate();
    case EndKind::kCut:
      world_.Count("cut");
      return Cut();
    case EndKind::kRecreate:
      world_.Count("recreate");
      writer_.Complete();
      writer_.Reopen();
      world_.Remove(path());
      return writer_.WriteBurst();
    case EndKind::kReplace:
      world_.Count("replace");
      writer_.Complete();
      writer_.Reopen();
      writer_.WriteBurstTo(path() + "~");
      world_.Rename(path() + "~", path());
      return writer_.Reopen();
    case EndKind::kRewrite:
      world_.Count("rewrite");
      writer_.Complete();
      Truncate();
      return writer_.WriteBurst();
    case EndKind::kRemoveTree: {
      world_.Count("remove directory");
      writer_.Complete();
      writer_.Reopen();
      const std::string dir = DirName(path());
      world_.RemoveTree(dir);
      writer_.Rest(true);
      world_.After(world_.chance().Between(1ms, 2s), [this, dir] {
        world_.disk().MakeDir(dir);
        writer_.Rest(false);
      });
      return;
    }
  }
}

}  // namespace kelp::sim
