#include "loki/block_entries.h"

#include <algorithm>

#include "loki/row_entry.h"
#include "query/row_reader.h"

namespace kelp::loki {

using store::ColumnKind;
using store::TextColumn;

void Wanted::Add(std::string_view label) {
  labels.emplace(label);
  if (label == kServiceLabel) {
    service = true;
    for (const std::string_view name : ServiceLabels()) labels.emplace(name);
  }
  if (label == kLevelLabel) {
    level = true;
    for (const std::string_view name : LevelLabels()) labels.emplace(name);
  }
  constexpr std::string_view kSuffix = "_extracted";
  if (label.ends_with(kSuffix)) labels.emplace(label.substr(0, label.size() - kSuffix.size()));
}

bool BlockEntries::Wants(std::string_view label, Category category) const {
  if (category == Category::kStream ? wanted_.all_tags : wanted_.all_fields) return true;
  return wanted_.labels.find(label) != wanted_.labels.end();
}

const BlockEntries::Names& BlockEntries::NamesOf(std::string_view column) {
  auto [it, added] = names_.try_emplace(std::string(column));
  if (added) {
    it->second.label = LabelName(column);
    it->second.clashing = it->second.label + "_extracted";
  }
  return it->second;
}

Status BlockEntries::Open(const store::Block& block, store::BlockReader& reader,
                          std::string_view source) {
  block_ = &block;
  reader_ = &reader;
  source_ = source;
  columns_.clear();
  tuples_ = 1;
  const auto infos = block.columns();
  for (size_t i = 0; i < infos.size(); ++i) {
    const store::ColumnInfo& info = infos[i];
    if (info.kind == ColumnKind::kBody) {
      body_ = static_cast<int>(i);
      continue;
    }
    const Category category =
        info.kind == ColumnKind::kResource ? Category::kStream : Category::kField;
    const Names& names = NamesOf(info.name);
    if (!Wants(names.label, category)) continue;
    Column column{static_cast<int>(i), names.label, names.clashing, category, nullptr, info.value};
    if (!info.constant) {
      ASSIGN_OR_RETURN(column.data, reader.Column(column.index));
      if (column.data->form == TextColumn::Form::kPlain) {
        tuples_ = 0;
      } else {
        tuples_ *= column.data->dictionary.size();
        if (tuples_ > kTuplesMax) tuples_ = 0;
      }
    }
    columns_.push_back(column);
  }
  std::stable_sort(columns_.begin(), columns_.end(),
                   [](const Column& a, const Column& b) { return a.category < b.category; });
  return OkStatus();
}

size_t BlockEntries::TupleOf(uint32_t row) const {
  size_t tuple = 0;
  for (const Column& column : columns_) {
    if (column.data == nullptr || column.data->form != TextColumn::Form::kDictionary) continue;
    tuple = tuple * column.data->dictionary.size() + column.data->ids[row];
  }
  return tuple;
}

void BlockEntries::AddLabels(uint32_t row, Entry& entry) const {
  bool tags = true;
  for (const Column& column : columns_) {
    if (tags && column.category == Category::kField) {
      tags = false;
      entry.Set(kLogstoreLabel, source_, Category::kStream);
      if (wanted_.service) AddServiceName(entry);
    }
    const Value value = column.data == nullptr ? column.constant : column.data->Get(row);
    if (value.missing() || value.size == 0) continue;
    const Label* label = entry.Find(column.label);
    if (label == nullptr) {
      entry.Set(column.label, value.text(), column.category);
    } else if (label->category != column.category) {
      entry.Set(column.clashing, value.text(), column.category);
    }
  }
  if (!tags) return;
  entry.Set(kLogstoreLabel, source_, Category::kStream);
  if (wanted_.service) AddServiceName(entry);
}

Status BlockEntries::FillLine(uint32_t row, Entry& entry) {
  const store::ColumnInfo& info = block_->columns()[static_cast<size_t>(body_)];
  Value value = info.value;
  if (!info.constant) {
    ASSIGN_OR_RETURN(const TextColumn* body, reader_->Column(body_));
    value = body->Get(row);
  }
  if (!value.missing() && value.size != 0) {
    entry.line = value.text();
    return OkStatus();
  }
  ASSIGN_OR_RETURN(const query::Row full, query::ReadRow(*block_, *reader_, row));
  entry.line = full.fields.empty() ? std::string_view() : entry.arena.Copy(FieldsJson(full));
  return OkStatus();
}

Result<size_t> BlockEntries::LineBytes(uint32_t row) {
  Entry entry;
  RETURN_IF_ERROR(FillLine(row, entry));
  return entry.line.size();
}

Status BlockEntries::Fill(uint32_t row, Entry& entry) {
  entry.labels.clear();
  entry.arena.Clear();
  entry.line = {};
  AddLabels(row, entry);
  level_in_labels_ = !wanted_.level || AddLevelFromLabels(entry);
  if (wanted_.line || !level_in_labels_) RETURN_IF_ERROR(FillLine(row, entry));
  if (!level_in_labels_) entry.Set(kLevelLabel, LevelOfLine(entry.line), Category::kField);
  return OkStatus();
}

}  // namespace kelp::loki
