// The two counters that every output has, under one name and one explanation.
#ifndef KELP_OUTPUT_COMMON_SENT_COUNTERS_H_
#define KELP_OUTPUT_COMMON_SENT_COUNTERS_H_

#include "pipeline/component.h"

namespace kelp::output {

inline Counter& AddSentRows(const pipeline::ComponentContext& context) {
  return context.AddCounter("output_sent_rows_total",
                            "Rows that the destination took and the output acknowledged.");
}

inline Counter& AddSentBytes(const pipeline::ComponentContext& context) {
  return context.AddCounter("output_sent_bytes_total",
                            "Bytes given to the destination, as they were written or sent "
                            "(blackhole: bytes of bodies).");
}

}  // namespace kelp::output

#endif  // KELP_OUTPUT_COMMON_SENT_COUNTERS_H_
