#include "server/export_writer.h"

#include <algorithm>
#include <set>

#include "codec/byte_buffer.h"
#include "codec/json_print.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

// One value of a row, by the name of its column. What the row itself has goes before its fields,
// and these before its tags.
class RowValues {
 public:
  explicit RowValues(std::vector<std::string> columns) : columns_(std::move(columns)) {
    for (size_t i = 0; i < columns_.size(); ++i) places_.emplace(columns_[i], i);
    values_.resize(columns_.size());
  }

  const std::vector<std::string>& columns() const { return columns_; }

  // By column; valid as long as the row and until the next call.
  const std::vector<Value>& Of(const query::Row& row) {
    std::fill(values_.begin(), values_.end(), Value());
    for (const auto* list : {&row.resource, &row.fields}) {
      for (const query::Field& field : *list) Set(field.name, field.value, field.kind);
    }
    time_ = FormatRfc3339(row.time);
    origin_ = row.origin.ToString();
    offset_ = std::to_string(row.offset);
    Set("time", time_, ValueKind::kString);
    Set("body", row.body, ValueKind::kString);
    Set("origin", origin_, ValueKind::kString);
    Set("offset", offset_, ValueKind::kJson);
    if (!row.logstore.empty()) Set("logstore", row.logstore, ValueKind::kString);
    return values_;
  }

 private:
  void Set(const std::string& name, std::string_view text, ValueKind kind) {
    const auto found = places_.find(name);
    if (found == places_.end()) return;
    values_[found->second] = {text.data(), static_cast<uint32_t>(text.size()), kind};
  }

  const std::vector<std::string> columns_;
  std::unordered_map<std::string, size_t> places_;
  std::vector<Value> values_;
  std::string time_, origin_, offset_;
};

class WholeJsonRows final : public RowWriter {
 public:
  void Begin(std::string&) override {}
  void Add(const query::Row& row, std::string& out) override {
    query::PrintRowJson(row, out);
    out += '\n';
  }
};

class JsonColumns final : public RowWriter {
 public:
  explicit JsonColumns(std::vector<std::string> columns) : values_(std::move(columns)) {
    for (const std::string& column : values_.columns()) keys_.push_back(JsonText(column) + ":");
  }
  void Begin(std::string&) override {}
  void Add(const query::Row& row, std::string& out) override {
    const std::vector<Value>& values = values_.Of(row);
    out += '{';
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].missing()) continue;
      if (out.back() != '{') out += ',';
      codec::ByteBuffer value;
      codec::AppendJsonValue(value, values[i]);
      out += keys_[i];
      out += value.view();
    }
    out += "}\n";
  }

 private:
  RowValues values_;
  std::vector<std::string> keys_;
};

class CsvColumns final : public RowWriter {
 public:
  explicit CsvColumns(std::vector<std::string> columns) : values_(std::move(columns)) {}
  void Begin(std::string& out) override {
    for (const std::string& column : values_.columns()) {
      if (&column != values_.columns().data()) out += ',';
      AppendCsv(column, out);
    }
    out += '\n';
  }
  void Add(const query::Row& row, std::string& out) override {
    const std::vector<Value>& values = values_.Of(row);
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out += ',';
      if (!values[i].missing()) AppendCsv(values[i].text(), out);
    }
    out += '\n';
  }

 private:
  RowValues values_;
};

class JsonResult final : public ResultWriter {
 public:
  void Begin(const std::vector<sql::ResultColumn>& columns, std::string&) override {
    keys_.clear();
    for (const sql::ResultColumn& column : columns) keys_.push_back(JsonText(column.name) + ":");
  }
  void Add(std::span<const sql::Cell> cells, std::string& out) override {
    out += '{';
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += ',';
      out += keys_[i];
      AppendJsonCell(cells[i], out);
    }
    out += "}\n";
  }

 private:
  std::vector<std::string> keys_;
};

class CsvResult final : public ResultWriter {
 public:
  void Begin(const std::vector<sql::ResultColumn>& columns, std::string& out) override {
    for (const sql::ResultColumn& column : columns) {
      if (&column != columns.data()) out += ',';
      AppendCsv(column.name, out);
    }
    out += '\n';
  }
  void Add(std::span<const sql::Cell> cells, std::string& out) override {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += ',';
      if (cells[i].kind != sql::Cell::Kind::kNull) AppendCsv(cells[i].text, out);
    }
    out += '\n';
  }
};

}  // namespace

void AppendCsv(std::string_view value, std::string& out) {
  const bool plain = !value.empty() && value.front() != ' ' && value.back() != ' ' &&
                     value.find_first_of("\",\r\n") == value.npos;
  if (plain) {
    out += value;
    return;
  }
  out += '"';
  for (size_t at = 0; at < value.size();) {
    const size_t quote = std::min(value.find('"', at), value.size());
    out += value.substr(at, quote - at);
    if (quote < value.size()) out += "\"\"";
    at = quote + 1;
  }
  out += '"';
}

std::unique_ptr<RowWriter> NewJsonRows() { return std::make_unique<WholeJsonRows>(); }
std::unique_ptr<RowWriter> NewJsonRows(std::vector<std::string> columns) {
  return std::make_unique<JsonColumns>(std::move(columns));
}
std::unique_ptr<RowWriter> NewCsvRows(std::vector<std::string> columns) {
  return std::make_unique<CsvColumns>(std::move(columns));
}
std::unique_ptr<ResultWriter> NewJsonResult() { return std::make_unique<JsonResult>(); }
std::unique_ptr<ResultWriter> NewCsvResult() { return std::make_unique<CsvResult>(); }

std::vector<std::string> ColumnsOf(const store::Snapshot& snapshot, UnixNanos from, UnixNanos to) {
  std::set<std::string> tags, fields;
  bool several = false;
  const auto blocks = snapshot.blocks();
  for (size_t i = 0; i < blocks.size(); ++i) {
    several = several || !snapshot.SourceOf(i).empty();
    if (blocks[i]->time_max() < from || blocks[i]->time_min() >= to) continue;
    for (const store::ColumnInfo& info : blocks[i]->columns()) {
      if (info.kind == store::ColumnKind::kBody) continue;
      auto& names = info.kind == store::ColumnKind::kResource ? tags : fields;
      names.insert(std::string(info.name));
    }
  }
  std::vector<std::string> columns = {"time", "body"};
  if (several) columns.push_back("logstore");
  for (const auto* names : {&tags, &fields}) {
    for (const std::string& name : *names) {
      if (columns.size() + 2 < kExportColumnsMax &&
          std::find(columns.begin(), columns.end(), name) == columns.end()) {
        columns.push_back(name);
      }
    }
  }
  for (const char* last : {"origin", "offset"}) {
    if (std::find(columns.begin(), columns.end(), last) == columns.end()) columns.push_back(last);
  }
  return columns;
}

}  // namespace kelp::server
