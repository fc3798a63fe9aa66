// What actors ask of the World, and what they do to its files.
#include "world.h"

namespace kelp::sim {

bool World::PathKnown(const std::string& path) const {
  for (size_t p = 0; p < options.pipelines.size(); ++p) {
    const std::string space = "p" + std::to_string(p) + "/file";
    if (checkpoints_.paths.count({space, path}) == 0) return false;
  }
  return true;
}

bool World::ContentKnown(const Node& node) const {
  const auto emptied = emptied_at_.find(node.serial);
  for (size_t p = 0; p < options.pipelines.size(); ++p) {
    const auto it =
        checkpoints_.printed.find({"p" + std::to_string(p) + "/file", node.number, node.born});
    if (it == checkpoints_.printed.end()) return false;
    if (emptied != emptied_at_.end() && it->second <= emptied->second) return false;
  }
  return true;
}

void World::Emptied(Handle& file, uint64_t kept, const std::shared_ptr<Node>& copy) {
  Node& node = file.node();
  losses_.Emptied(node, kept, copy, ContentKnown(node));
  oracle_.Emptied(node.serial, kept);
  disk_->Truncate(file, 0);
  sights_.Cut(node, 0, agent_ != nullptr);
  emptied_at_[node.serial] = clock_.Monotonic();
}

void World::CutTo(Handle& file, uint64_t length) {
  Node& node = file.node();
  losses_.CutTo(node, length);
  oracle_.CutTo(node.serial, length);
  sights_.Cut(node, length, agent_ != nullptr);
  disk_->Truncate(file, length);
  emptied_at_[node.serial] = clock_.Monotonic();
}

bool World::AgentHolds(const Node& node) const {
  return agent_ != nullptr && !agent_->dead() &&
         agent_->files().OpensOf(node.serial) >= static_cast<int>(options.pipelines.size());
}

void World::Rename(const std::string& from, const std::string& to) {
  std::shared_ptr<Node> replaced;
  std::shared_ptr<Node> moved;
  const bool over = disk_->Find(to, false, replaced) == 0;
  if (disk_->Find(from, false, moved) != 0) return;
  const int error = disk_->Rename(from, to);
  history_.Say("machine", "mv {} {} (inode {}){}", from, to, moved->number,
               error == 0 ? "" : " failed");
  if (error == 0 && over && replaced != moved && replaced->links == 0) {
    Unlinked(replaced, AgentHolds(*replaced));
  }
}

void World::Remove(const std::string& path) {
  std::shared_ptr<Node> node;
  if (disk_->Find(path, false, node) != 0) return;
  const bool held = AgentHolds(*node);
  const int error = disk_->Remove(path);
  history_.Say("machine", "rm {} (inode {}{}){}", path, node->number, held ? ", held open" : "",
               error == 0 ? "" : " failed");
  if (error == 0 && node->links == 0) Unlinked(node, held);
}

void World::Unlinked(const std::shared_ptr<Node>& node, bool held) {
  oracle_.Unlinked(node->serial, held);
  if (held) {
    losses_.UnlinkedHeld(node);
  } else {
    losses_.Unlinked(*node);
  }
}

void World::RemoveTree(const std::string& path) {
  std::shared_ptr<Node> node;
  if (disk_->Find(path, false, node) != 0) return;
  while (!node->entries.empty()) RemoveTree(JoinPath(path, node->entries.begin()->first));
  Remove(path);
}

void World::PackFile(const std::string& file, const std::string& packed, Packing packing) {
  std::shared_ptr<Node> node;
  std::unique_ptr<Handle> to;
  if (disk_->Find(file, false, node) != 0 || disk_->Open(packed, true, to) != 0) return;
  disk_->Append(*to, Pack(packing, node->data));
  history_.Say("machine", "pack {} (inode {}) to {} (inode {})", file, node->number, packed,
               to->node().number);
  losses_.Packed(node, to->shared_node(), ContentKnown(*node));
  oracle_.Moved(node->serial, node->data.size(), to->node().serial);
  Count("packed");
  After(chance_.Between(Duration(0), 50ms), [this, file] { Remove(file); });
}

bool World::AllArrivedOf(const std::string& path) const {
  std::shared_ptr<Node> node;
  return disk_->Find(path, true, node) == 0 && oracle_.AllArrivedIn(node->serial);
}

}  // namespace kelp::sim
