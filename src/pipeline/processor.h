// Processor: works on the rows of a batch: parses, filters, adds.
//
// Place:    the engine calls Process on the worker that read the batch, in the pipeline's order.
// Threads:  confined: each worker has its own instance, made from the same config; instances share
//           their counters. No state may pass from one batch to the next that changes results.
// Verdicts: a row is kept (do nothing), dropped (Batch::Select, counted through
//           ComponentContext::DropCounter with a reason), or marked (a field such as
//           kelp.parse_error, and a counter). Processors only look at selected rows.
// Memory:   new text goes into the batch's arena; constants may point into the processor, which
//           lives as long as any batch it touched.
#ifndef KELP_PIPELINE_PROCESSOR_H_
#define KELP_PIPELINE_PROCESSOR_H_

#include "batch/batch.h"
#include "pipeline/component.h"

namespace kelp::pipeline {

class Processor {
 public:
  virtual ~Processor() = default;
  virtual void Process(Batch& batch) = 0;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_PROCESSOR_H_
