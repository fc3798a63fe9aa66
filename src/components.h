// The list of components compiled into Kelp.
#ifndef KELP_COMPONENTS_H_
#define KELP_COMPONENTS_H_

#include "pipeline/registry.h"

namespace kelp {

// All inputs, processors and outputs. Built at the first call, then immutable.
const pipeline::Registry& Components();

}  // namespace kelp

#endif  // KELP_COMPONENTS_H_
