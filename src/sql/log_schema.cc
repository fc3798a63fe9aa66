#include "sql/log_schema.h"

#include <algorithm>
#include <map>

#include "query/number.h"

namespace kelp::sql {

using store::Block;
using store::ColumnInfo;
using store::ColumnKind;

namespace {

// Blocks and values a block that Infer looks at. A wrong guess costs one more start.
constexpr size_t kSampleBlocks = 4;
constexpr uint32_t kSampleValues = 64;
// Digits that a double keeps.
constexpr size_t kExactDigits = 15;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A decimal text taken apart: -?(0|[1-9][0-9]*)(\.[0-9]+)?
struct Decimal {
  size_t digits = 0;
  size_t fraction = 0;
  bool zero_end = false;
};

std::optional<Decimal> TakeApart(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  size_t whole = 0;
  while (whole < text.size() && IsDigit(text[whole])) ++whole;
  if (whole == 0 || (whole > 1 && text[0] == '0')) return std::nullopt;
  if (whole == text.size()) return Decimal{whole, 0, false};
  if (text[whole] != '.') return std::nullopt;
  size_t end = whole + 1;
  while (end < text.size() && IsDigit(text[end])) ++end;
  if (end != text.size() || end == whole + 1) return std::nullopt;
  return Decimal{whole + end - whole - 1, end - whole - 1, text.back() == '0'};
}

bool IsEmpty(const Value& value) { return value.missing() || value.size == 0; }

}  // namespace

std::string LowerName(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Fit ReadInteger(const Value& value, int64_t& out) {
  if (IsEmpty(value)) return Fit::kNull;
  const std::string_view text = value.text();
  if (value.kind == ValueKind::kJson && text == "null") return Fit::kNull;
  // "007" is a text that happens to consist of digits; so is "-0".
  const bool negative = text[0] == '-';
  const size_t first = negative ? 1 : 0;
  constexpr size_t kFastDigits = 18;
  if (text.size() - first > kFastDigits) {
    const auto number = TakeApart(text) ? query::Number::Parse(text) : std::nullopt;
    if (!number || !number->exact || text.find('.') != text.npos) return Fit::kMisfit;
    out = number->integer;
    return Fit::kFits;
  }
  if (text.size() == first || (text[first] == '0' && text.size() > 1)) return Fit::kMisfit;
  int64_t number = 0;
  for (size_t i = first; i < text.size(); ++i) {
    if (!IsDigit(text[i])) return Fit::kMisfit;
    number = number * 10 + (text[i] - '0');
  }
  out = negative ? -number : number;
  return Fit::kFits;
}

Fit ReadReal(const Value& value, int fraction_digits, double& out) {
  if (IsEmpty(value)) return Fit::kNull;
  const std::string_view text = value.text();
  const bool json = value.kind == ValueKind::kJson;
  if (json && text == "null") return Fit::kNull;
  if (!json) {
    const std::optional<Decimal> decimal = TakeApart(text);
    if (!decimal || decimal->digits > kExactDigits) return Fit::kMisfit;
    const bool keeps = fraction_digits < 0 ? !decimal->zero_end || decimal->fraction == 0
                                           : static_cast<int>(decimal->fraction) == fraction_digits;
    if (!keeps) return Fit::kMisfit;
  }
  const auto number = query::Number::Parse(text);
  if (!number) return Fit::kMisfit;
  out = number->real;
  return Fit::kFits;
}

Fit ReadLooseReal(const Value& value, double& out) {
  if (IsEmpty(value)) return Fit::kNull;
  const auto number = query::Number::Parse(value.text());
  if (!number) return Fit::kMisfit;
  out = number->real;
  return Fit::kFits;
}

LogSchema::LogSchema(const store::Snapshot& snapshot, UnixNanos from, UnixNanos to) {
  Add("time", LogColumn::Source::kTime);
  Add("body", LogColumn::Source::kBody);
  std::map<std::string, std::string> fields, tags;  // by lower name: the name first seen
  std::vector<std::shared_ptr<const Block>> blocks;
  if (!snapshot.blocks().empty() && !snapshot.SourceOf(0).empty()) {
    Add("logstore", LogColumn::Source::kLogstore);
  }
  for (const auto& block : snapshot.blocks()) {
    if (block->time_max() < from) break;  // and so are all after it
    if (block->time_min() >= to || block->rows() == 0) continue;
    blocks.push_back(block);
    for (const ColumnInfo& info : block->columns()) {
      if (info.kind == ColumnKind::kBody) continue;
      auto& names = info.kind == ColumnKind::kField ? fields : tags;
      names.try_emplace(LowerName(info.name), info.name);
    }
  }
  for (const auto* names : {&fields, &tags}) {
    for (const auto& [lower, name] : *names) Add(name, LogColumn::Source::kValue);
  }
  Add("_origin", LogColumn::Source::kOrigin);
  Add("_offset", LogColumn::Source::kOffset);
  const size_t step = std::max<size_t>(1, blocks.size() / kSampleBlocks);
  for (size_t i = 0; i < blocks.size() && sample_.size() < kSampleBlocks; i += step) {
    sample_.push_back(blocks[i]);
  }
}

void LogSchema::Add(std::string_view name, LogColumn::Source source) {
  if (columns_.size() >= kColumnsMax || name.empty()) return;
  const bool added = by_name_.try_emplace(LowerName(name), columns_.size()).second;
  if (!added) return;  // a field that is called like a column of every row is found by search only
  LogColumn column;
  column.name = name;
  column.source = source;
  if (source == LogColumn::Source::kOffset) column.type = LogColumn::Type::kInteger;
  columns_.push_back(std::move(column));
}

std::optional<size_t> LogSchema::Find(std::string_view name) const {
  const auto found = by_name_.find(LowerName(name));
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::optional<size_t> LogSchema::FindBySuffix(std::string_view suffix) const {
  const std::string end = "." + LowerName(suffix);
  std::optional<size_t> found;
  for (const auto& [name, index] : by_name_) {
    if (!name.ends_with(end)) continue;
    if (found) return std::nullopt;
    found = index;
  }
  return found;
}

void LogSchema::Infer(const std::set<size_t>& columns) {
  std::vector<store::BlockReader> readers(sample_.size());
  for (size_t i = 0; i < sample_.size(); ++i) readers[i].Open(*sample_[i]);
  for (const size_t column : columns) InferOne(column, readers);
}

void LogSchema::InferOne(size_t index, std::span<store::BlockReader> readers) {
  LogColumn& column = columns_[index];
  if (column.source != LogColumn::Source::kValue) return;
  const std::string lower = LowerName(column.name);
  bool integer = true, real = true, fixed = true;
  size_t present = 0, numbers = 0;
  int digits = -1;
  const auto look = [&](const Value& value) {
    if (IsEmpty(value)) return;
    ++present;
    double loose = 0;
    numbers += ReadLooseReal(value, loose) == Fit::kFits ? 1 : 0;
    int64_t whole = 0;
    double number = 0;
    integer = integer && ReadInteger(value, whole) != Fit::kMisfit;
    const auto decimal = TakeApart(value.text());
    const int here = decimal ? static_cast<int>(decimal->fraction) : -1;
    if (digits < 0) digits = here;
    fixed = fixed && decimal && here == digits && here > 0;
    real = real && (ReadReal(value, -1, number) != Fit::kMisfit || fixed);
  };
  for (size_t i = 0; i < sample_.size(); ++i) {
    const Block& block = *sample_[i];
    for (size_t c = 0; c < block.columns().size(); ++c) {
      const ColumnInfo& info = block.columns()[c];
      if (info.kind == ColumnKind::kBody || LowerName(info.name) != lower) continue;
      if (info.constant) {
        look(info.value);
        continue;
      }
      const auto values = readers[i].Column(static_cast<int>(c));
      if (!values.ok()) continue;  // the scan will say what is damaged
      const uint32_t step = std::max<uint32_t>(1, block.rows() / kSampleValues);
      for (uint32_t row = 0; row < block.rows(); row += step) look((*values)->Get(row));
    }
  }
  column.mostly_numbers = numbers * 2 > present;
  if (present == 0 || !(integer || real)) return;
  column.type = integer ? LogColumn::Type::kInteger : LogColumn::Type::kReal;
  if (!integer && fixed) column.fraction_digits = digits;
}

}  // namespace kelp::sql
