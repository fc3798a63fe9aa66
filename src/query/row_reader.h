// Making rows, and their keys' hashes, from a block that a reader is open on.
#ifndef KELP_QUERY_ROW_READER_H_
#define KELP_QUERY_ROW_READER_H_

#include <cstdint>

#include "base/status.h"
#include "query/query.h"
#include "store/snapshot.h"

namespace kelp::query {

// Errors: kDataLoss of the block.
Result<Row> ReadRow(const store::Block& block, store::BlockReader& reader, uint32_t row);
// A hash of the row's content: names and values, whatever the order or the form of columns. An
// empty body is as good as none. Both calls give the same.
Result<uint64_t> HashRow(const store::Block& block, store::BlockReader& reader, uint32_t row);
uint64_t HashRow(const Row& row);
// Memory that a row takes, about.
uint64_t RowBytes(const Row& row);

}  // namespace kelp::query

#endif  // KELP_QUERY_ROW_READER_H_
