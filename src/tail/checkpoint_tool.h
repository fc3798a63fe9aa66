// Checkpoints seen and changed from outside, for `kelp checkpoints` and an agent that is stopped.
//
// A running agent holds its database exclusively: these functions then answer kAlreadyExists, and
// the agent's own API tells positions.
//
//   ASSIGN_OR_RETURN(const auto all, ListCheckpoints(env, JoinPath(data_dir, "checkpoints.db")));
//
// Threads:  none of these keeps anything open after it returned.
// Errors:   kNotFound when there is no database or no such origin, kAlreadyExists when an agent
//           runs, kUnimplemented when a newer version wrote it, kDataLoss when it is corrupt (it is
//           left as it is), kInvalidArgument for a position that cannot be.
// Format:   docs/formats/checkpoint.md. A database of an older version is upgraded.
// Tests:    checkpoint_tool_test.cc
#ifndef KELP_TAIL_CHECKPOINT_TOOL_H_
#define KELP_TAIL_CHECKPOINT_TOOL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/ids.h"
#include "tail/checkpoint.h"

namespace kelp::tail {

// All checkpoints, by space ("<pipeline>/<component>"), path and age.
Result<std::vector<Checkpoint>> ListCheckpoints(Env& env, const std::string& database);

// Reading goes on at `offset`, which is taken for the start of a line; UINT64_MAX: at the end of
// what the file has now. Going back gives the origin a new id, which is returned: destinations that
// know the old one would remove its rows as repeats. Going forward keeps it. For an origin whose
// bytes are in a compressed file, the offset counts its unpacked bytes.
Result<OriginId> SetCheckpoint(Env& env, const std::string& database, const OriginId& origin,
                               uint64_t offset);

// Forgets origins: their files are treated as new, and read from their beginning. How many there
// were.
Result<size_t> RemoveCheckpoints(Env& env, const std::string& database,
                                 const std::vector<OriginId>& origins);

}  // namespace kelp::tail

#endif  // KELP_TAIL_CHECKPOINT_TOOL_H_
