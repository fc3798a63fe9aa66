#include "pipeline/dead_letter.h"

#include <algorithm>

namespace kelp::pipeline {

std::vector<uint32_t> SelectedOf(const Batch& batch, std::vector<uint32_t> rows) {
  std::vector<uint32_t> selected;
  const bool all = rows.empty();
  std::sort(rows.begin(), rows.end());
  auto next = rows.begin();
  batch.ForEach([&](uint32_t row) {
    next = std::lower_bound(next, rows.end(), row);
    if (all || (next != rows.end() && *next == row)) selected.push_back(row);
  });
  return selected;
}

SharedBatch DeadLetterBatch(const SharedBatch& batch, const std::vector<uint32_t>& rows,
                            std::string_view reason, std::string_view output) {
  BatchPtr made = BatchPool::Shared().Get();
  made->origin = batch->origin;
  made->begin = batch->begin;
  made->end = batch->end;
  made->resume = batch->resume;
  made->read_at = batch->read_at;
  made->set_resource(batch->resource());
  for (const uint32_t row : rows) {
    const uint32_t at =
        made->AddRow({}, batch->row_begin(row), batch->row_end(row), batch->time(row));
    made->body().Set(at, batch->body().Get(row));
  }
  const Value why = Value::String(made->Copy(reason));
  const Value who = Value::String(made->Copy(output));
  for (uint32_t at = 0; at < made->rows(); ++at) {
    made->SetField(at, kDropReasonField, why);
    made->SetField(at, kDropOutputField, who);
  }
  for (size_t c = 1; c < batch->column_count(); ++c) {
    const Column& column = batch->column(c);
    for (uint32_t at = 0; at < made->rows(); ++at) {
      const Value value = column.Get(rows[at]);
      if (!value.missing()) made->SetField(at, column.name(), value);
    }
  }
  const BatchPool::Deleter put = made.get_deleter();
  return {made.release(), [batch, put](Batch* done) { put(done); }};
}

}  // namespace kelp::pipeline
