#include "codec/byte_buffer.h"
#include "codec/json_print.h"
#include "query/query.h"

namespace kelp::query {
namespace {

using codec::ByteBuffer;

void PrintFields(const std::vector<Field>& fields, ByteBuffer& out) {
  out.Append('{');
  bool first = true;
  for (const Field& field : fields) {
    if (!first) out.Append(',');
    first = false;
    codec::AppendJsonString(out, field.name);
    out.Append(':');
    Value value = Value::String(field.value);
    value.kind = field.kind;
    codec::AppendJsonValue(out, value);
  }
  out.Append('}');
}

}  // namespace

void PrintRowJson(const Row& row, std::string& out) {
  ByteBuffer json;
  json.Append("{\"time\":");
  codec::AppendJsonTime(json, row.time);
  json.Append(",\"body\":");
  codec::AppendJsonString(json, row.body);
  json.Append(",\"fields\":");
  PrintFields(row.fields, json);
  json.Append(",\"resource\":");
  PrintFields(row.resource, json);
  json.Append(",\"origin\":{\"id\":\"");
  json.Append(row.origin.ToString());
  json.Append("\",\"offset\":");
  json.Append(std::to_string(row.offset));
  json.Append("}");
  if (!row.logstore.empty()) {
    json.Append(",\"logstore\":");
    codec::AppendJsonString(json, row.logstore);
  }
  json.Append("}");
  out += json.view();
}

Row RowOf(const Batch& batch, uint32_t row) {
  Row out;
  out.time = batch.time(row);
  out.body = batch.body().Get(row).text();
  for (size_t i = 1; i < batch.column_count(); ++i) {
    const Value& value = batch.column(i).Get(row);
    if (value.missing()) continue;
    out.fields.push_back({batch.column(i).name(), std::string(value.text()), value.kind});
  }
  for (const Resource::Tag& tag : batch.resource()->tags()) {
    out.resource.push_back({tag.first, tag.second, ValueKind::kString});
  }
  out.origin = batch.origin;
  out.offset = batch.row_begin(row);
  return out;
}

}  // namespace kelp::query
