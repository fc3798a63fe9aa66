#include "framing/line_decoder.h"

#include "framing/charset.h"
#include "framing/split_lines.h"

namespace kelp::framing {
namespace {

void MarkRows(Batch& batch, std::string_view name, std::vector<uint32_t>& rows) {
  if (rows.empty()) return;
  Column& column = batch.AddColumn(name);
  for (const uint32_t row : rows) column.Set(row, Value::Json("true"));
  rows.clear();
}

// The most common case by far, kept apart for its speed.
class PlainDecoder final : public LineDecoder {
 public:
  using LineDecoder::LineDecoder;
  size_t Decode(const Chunk& chunk, Batch& batch) override {
    const size_t mark = ByteOrderMark(chunk);
    return mark + Split<ByteUnits>(
                      Behind(chunk, mark), batch,
                      [&](std::string_view line, uint64_t begin, uint64_t end) {
                        Emit(batch, line, begin, end, kNoTime);
                        return true;
                      },
                      [&](std::string_view text, uint64_t begin, uint64_t end) {
                        MarkCut(Emit(batch, WholeUtf8(text), begin, end, kNoTime));
                        return true;
                      });
  }
};

}  // namespace

void LineDecoder::AddFields(Batch& batch) {
  if (notes_ == nullptr) return;
  MarkRows(batch, kCutField, notes_->cut_rows);
  MarkRows(batch, kMalformedField, notes_->malformed_rows);
}

std::unique_ptr<LineDecoder> MakePlainDecoder(size_t line_bytes_max) {
  return std::make_unique<PlainDecoder>(line_bytes_max);
}

}  // namespace kelp::framing
