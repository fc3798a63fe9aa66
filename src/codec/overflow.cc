#include "codec/overflow.h"

#include "codec/json_print.h"
#include "codec/json_scan.h"

namespace kelp::codec {

void OverflowRow::Start(const Value& old) {
  text_.Clear();
  fields_ = 0;
  const std::string_view text = old.text();
  const bool object = old.kind == ValueKind::kJson && text.starts_with('{') && IsJson(text);
  if (!object) return Add(Batch::kOverflowColumn, old);
  if (text == "{}") return;
  text_.Append(text.substr(0, text.size() - 1));
  fields_ = 1;
}

void OverflowRow::Add(std::string_view name, const Value& value) {
  if (value.missing()) return;
  text_.Append(fields_++ == 0 ? '{' : ',');
  AppendJsonString(text_, name);
  text_.Append(':');
  AppendJsonValue(text_, value);
}

Value OverflowRow::Finish(Batch& batch) {
  if (fields_ == 0) return Value();
  text_.Append('}');
  return Value::Json(batch.Copy(text_.view()));
}

}  // namespace kelp::codec
