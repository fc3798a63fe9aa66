#include "output/common/row_format.h"

#include <cstring>
#include <string_view>

#include "codec/json_print.h"

namespace kelp::output {
namespace {

constexpr std::string_view kNoTimeStart = "{\"time\":null";

// Puts a time into the row that was printed without one, from `begin` on.
void FillTime(codec::ByteBuffer& out, size_t begin, std::string_view time_start) {
  if (!out.view().substr(begin).starts_with(kNoTimeStart)) return;
  const size_t more = time_start.size() - kNoTimeStart.size();
  char* end = out.Reserve(more);
  char* row = out.data() + begin;
  std::memmove(row + time_start.size(), row + kNoTimeStart.size(),
               static_cast<size_t>(end - row) - kNoTimeStart.size());
  std::memcpy(row, time_start.data(), time_start.size());
  out.set_end(end + more);
}

void AppendJson(const Batch& batch, UnixNanos arrival, codec::ByteBuffer& out) {
  codec::ByteBuffer time_start;
  time_start.Append("{\"time\":");
  codec::AppendJsonTime(time_start, arrival);
  codec::RowPrinter printer;
  printer.Start(batch);
  batch.ForEach([&](uint32_t row) {
    const size_t begin = out.size();
    printer.Append(out, row);
    if (batch.time(row) == kNoTime) FillTime(out, begin, time_start.view());
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

void AppendRows(const Batch& batch, RowFormat format, UnixNanos arrival, codec::ByteBuffer& out) {
  if (format == RowFormat::kJson) {
    AppendJson(batch, arrival, out);
  } else {
    AppendRaw(batch, out);
  }
}

}  // namespace kelp::output
