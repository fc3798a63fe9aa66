#include "tail/checkpoint.h"

namespace kelp::tail {

Result<CheckpointSpace> MemoryCheckpointStore::Start(const std::string& space) {
  MutexLock lock(mu_);
  CheckpointSpace result;
  const auto [it, first] = spaces_.try_emplace(space, clock_.Now());
  result.first_start = first;
  result.first_started = it->second;
  for (const auto& [origin, checkpoint] : checkpoints_) {
    if (checkpoint.space == space) result.checkpoints.push_back(checkpoint);
  }
  return result;
}

Status MemoryCheckpointStore::Write(const CheckpointChanges& changes) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(failure_);
  for (const OriginId& origin : changes.remove) checkpoints_.erase(origin);
  for (const Checkpoint& checkpoint : changes.put) checkpoints_[checkpoint.origin] = checkpoint;
  return OkStatus();
}

void MemoryCheckpointStore::FailWith(Status status) {
  MutexLock lock(mu_);
  failure_ = std::move(status);
}

std::map<OriginId, Checkpoint> MemoryCheckpointStore::Contents() const {
  MutexLock lock(mu_);
  return checkpoints_;
}

}  // namespace kelp::tail
