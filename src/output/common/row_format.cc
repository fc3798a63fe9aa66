#include "output/common/row_format.h"

#include <cstring>

#include "codec/json_print.h"

namespace kelp::output {
namespace {

void AppendJson(const Batch& batch, codec::ByteBuffer& out) {
  codec::RowPrinter printer;
  printer.Start(batch);
  batch.ForEach([&](uint32_t row) {
    printer.Append(out, row);
    out.Append('\n');
  });
}

void AppendRaw(const Batch& batch, codec::ByteBuffer& out) {
  const Column& body = batch.body();
  char* p = out.Reserve(batch.body_bytes() + batch.selected_count());
  batch.ForEach([&](uint32_t row) {
    const Value& value = body.Get(row);
    if (value.size != 0) std::memcpy(p, value.data, value.size);
    p += value.size;
    *p++ = '\n';
  });
  out.set_end(p);
}

}  // namespace

void AppendRows(const Batch& batch, RowFormat format, codec::ByteBuffer& out) {
  if (format == RowFormat::kJson) {
    AppendJson(batch, out);
  } else {
    AppendRaw(batch, out);
  }
}

}  // namespace kelp::output
