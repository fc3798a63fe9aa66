// How the outputs `file` and `stdout` write rows as text.
#ifndef KELP_OUTPUT_COMMON_ROW_FORMAT_H_
#define KELP_OUTPUT_COMMON_ROW_FORMAT_H_

#include "batch/batch.h"
#include "codec/byte_buffer.h"
#include "config/schema.h"

namespace kelp::output {

enum class RowFormat {
  kJson,  // one JSON object a row: ROW of docs/formats/http-api.md
  kRaw,   // the body as it is
};

// Appends the selected rows of `batch`, each with a newline at its end. A raw body that holds
// newlines stays as it is, and so becomes several lines. Rows without a time get `arrival`.
void AppendRows(const Batch& batch, RowFormat format, UnixNanos arrival, codec::ByteBuffer& out);

}  // namespace kelp::output

template <>
struct kelp::config::EnumNames<kelp::output::RowFormat> {
  static constexpr std::string_view kNames[] = {"json", "raw"};
};

#endif  // KELP_OUTPUT_COMMON_ROW_FORMAT_H_
