// Finds spools that were left with rows in them when their pipeline or their key went away.
#ifndef KELP_SPOOL_UNUSED_SPOOLS_H_
#define KELP_SPOOL_UNUSED_SPOOLS_H_

#include <string>
#include <vector>

#include "base/env.h"

namespace kelp::spool {

struct UnusedSpool {
  std::string dir;
  uint64_t bytes = 0;  // of its segments
};

// The spools below <data_dir>/spool that hold segments and that nobody has open, by name. A spool
// with a path elsewhere is not found.
std::vector<UnusedSpool> FindUnusedSpools(Env& env, const std::string& data_dir);

// Logs one message for each. Call when the pipelines run.
void WarnOfUnusedSpools(Env& env, const std::string& data_dir);

}  // namespace kelp::spool

#endif  // KELP_SPOOL_UNUSED_SPOOLS_H_
