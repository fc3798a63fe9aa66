// KeepTimes: the rows of a block in a span of time.
#ifndef KELP_QUERY_TIME_FILTER_H_
#define KELP_QUERY_TIME_FILTER_H_

#include "base/status.h"
#include "query/bitmap.h"
#include "store/snapshot.h"

namespace kelp::query {

// Removes from `rows` those outside of [from, to). Reads the times only when the block is not
// wholly inside. Errors: kDataLoss.
Status KeepTimes(const store::Block& block, store::BlockReader& reader, UnixNanos from,
                 UnixNanos to, Bitmap& rows);

}  // namespace kelp::query

#endif  // KELP_QUERY_TIME_FILTER_H_
