#include "tail/checkpoint_tool.h"

#include <algorithm>
#include <utility>

#include "tail/checkpoint_db.h"

namespace kelp::tail {
namespace {

// The size of the file that a checkpoint is about, where it still has its name.
Result<uint64_t> SizeNow(Env& env, const Checkpoint& checkpoint) {
  const Result<FileInfo> info = env.files().Stat(checkpoint.path);
  if (!info.ok()) return info.status();
  if (checkpoint.packing != Packing::kNone || !checkpoint.identity.SameInode(*info)) {
    return NotFoundError(checkpoint.path +
                         " is another file by now; where its predecessor ends is not known");
  }
  return info->size;
}

}  // namespace

Result<std::vector<Checkpoint>> ListCheckpoints(Env& env, const std::string& database) {
  CheckpointDatabase db(env, database);
  RETURN_IF_ERROR(db.OpenExisting());
  return db.All();
}

Result<OriginId> SetCheckpoint(Env& env, const std::string& database, const OriginId& origin,
                               uint64_t offset) {
  CheckpointDatabase db(env, database);
  RETURN_IF_ERROR(db.OpenExisting());
  ASSIGN_OR_RETURN(const std::vector<Checkpoint> all, db.All());
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.origin == origin; });
  if (it == all.end()) {
    return NotFoundError("there is no origin " + origin.ToString() + " in " + database);
  }
  Checkpoint changed = *it;
  if (offset == UINT64_MAX) {
    ASSIGN_OR_RETURN(offset, SizeNow(env, changed));
  } else {
    // Beyond the end, the agent would take the file for truncated, and read it from its beginning.
    const Result<uint64_t> size = SizeNow(env, changed);
    if (offset > (size.ok() ? *size : INT64_MAX)) {
      return InvalidArgumentError(changed.path + " has no offset " + std::to_string(offset) +
                                  (size.ok() ? ", it ends at " + std::to_string(*size) : ""));
    }
  }
  CheckpointChanges changes;
  if (offset < changed.emitted) {
    changes.remove.push_back(changed.origin);
    changed.origin = OriginId::Make(env.random());
  }
  changed.resume = changed.emitted = offset;
  changed.line = framing::LinePlace::kStart;
  changed.guard = {};
  changed.cuts.clear();
  changed.heir = {};
  const OriginId result = changed.origin;
  changes.put.push_back(std::move(changed));
  RETURN_IF_ERROR(db.Write(changes));
  return result;
}

Result<size_t> RemoveCheckpoints(Env& env, const std::string& database,
                                 const std::vector<OriginId>& origins) {
  CheckpointDatabase db(env, database);
  RETURN_IF_ERROR(db.OpenExisting());
  ASSIGN_OR_RETURN(const std::vector<Checkpoint> all, db.All());
  CheckpointChanges changes;
  for (const Checkpoint& checkpoint : all) {
    if (std::find(origins.begin(), origins.end(), checkpoint.origin) != origins.end()) {
      changes.remove.push_back(checkpoint.origin);
    }
  }
  const size_t removed = changes.remove.size();
  if (removed > 0) RETURN_IF_ERROR(db.Write(changes));
  return removed;
}

}  // namespace kelp::tail
