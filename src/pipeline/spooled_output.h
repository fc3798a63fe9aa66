// SpooledOutput: an output with a queue on disk before it.
#ifndef KELP_PIPELINE_SPOOLED_OUTPUT_H_
#define KELP_PIPELINE_SPOOLED_OUTPUT_H_

#include <memory>

#include "pipeline/component.h"
#include "pipeline/output.h"
#include "spool/spool_config.h"

namespace kelp::pipeline {

// `inner` with a spool before it, as the key `spool:` of an output asks. Opens nothing before
// Start, which fails when there is neither a path nor a data directory.
Result<std::unique_ptr<Output>> MakeSpooledOutput(std::unique_ptr<Output> inner,
                                                  const spool::SpoolConfig& config,
                                                  const ComponentContext& context);

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_SPOOLED_OUTPUT_H_
