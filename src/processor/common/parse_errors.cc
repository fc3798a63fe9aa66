#include "processor/common/parse_errors.h"

namespace kelp::processor {

ParseErrors::ParseErrors(const pipeline::ComponentContext& context, OnError on_error)
    : on_error_(on_error),
      errors_total_(context.AddCounter("processor_parse_errors_total",
                                       "Rows that a processor could not parse.")) {
  if (on_error_ == OnError::kDrop) {
    dropped_total_ = &context.DropCounter(pipeline::ComponentKind::kProcessor, "parse_error");
  }
}

bool ParseErrors::Failed(Batch& batch, uint32_t row, std::string_view problem) {
  ++errors_;
  if (on_error_ == OnError::kDrop) return false;
  if (column_ == nullptr) column_ = batch.FindColumn(kParseErrorField);
  if (column_ != nullptr) {
    column_->Set(row, Value::String(problem));
  } else {
    batch.SetField(row, kParseErrorField, Value::String(problem));
  }
  return true;
}

void ParseErrors::Count(uint32_t dropped) {
  errors_total_.Add(errors_);
  if (dropped_total_ != nullptr) dropped_total_->Add(dropped);
}

}  // namespace kelp::processor
