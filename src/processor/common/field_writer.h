// FieldWriter: one field that a processor sets in many rows of a batch; finds or makes the column
// once, and falls back to the overflow column when no column is left.
//
// Threads:  thread-compatible.
#ifndef KELP_PROCESSOR_COMMON_FIELD_WRITER_H_
#define KELP_PROCESSOR_COMMON_FIELD_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "batch/batch.h"

namespace kelp::processor {

class FieldWriter {
 public:
  explicit FieldWriter(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  void Start(Batch& batch) {
    batch_ = &batch;
    // One column is kept for the overflow itself.
    Column* column = batch.FindColumn(name_);
    if (column == nullptr && batch.column_count() + 1 < Batch::kColumnsMax) {
      column = batch.TryAddColumn(name_);
    }
    values_ = column == nullptr ? nullptr : column->values();
  }
  void Set(uint32_t row, const Value& value) {
    if (values_ != nullptr) [[likely]] {
      values_[row] = value;
    } else if (!value.missing()) {
      batch_->SetField(row, name_, value);
    }
  }
  // Missing also where the field went to the overflow column.
  Value Get(uint32_t row) const { return values_ != nullptr ? values_[row] : Value(); }

 private:
  std::string name_;
  Batch* batch_ = nullptr;
  Value* values_ = nullptr;
};

}  // namespace kelp::processor

#endif  // KELP_PROCESSOR_COMMON_FIELD_WRITER_H_
