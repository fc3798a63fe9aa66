#include "query/field_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "codec/byte_buffer.h"
#include "codec/json_print.h"
#include "query/literal_finder.h"
#include "query/number.h"
#include "query/number_summary.h"
#include "query/outcome.h"
#include "query/scan.h"
#include "query/time_filter.h"
#include "query/value_table.h"

namespace kelp::query {
namespace {

using store::ColumnInfo;
using store::ColumnKind;
using store::TextColumn;

// Blocks go to shards in fixed groups and each shard is filled in order, so what a full table
// leaves out does not depend on which thread was faster.
constexpr size_t kShards = 4;
constexpr size_t kGroupBlocks = 8;
constexpr size_t kWaveBlocks = kShards * kGroupBlocks;

using FieldKey = std::pair<std::string, bool>;  // name, resource

struct Shard {
  std::map<FieldKey, ValueTable, std::less<>> fields;
  uint64_t fields_left_out = 0;
  uint64_t rows = 0;
  int64_t memory = 0;  // that is left
};

void AddColumn(const TextColumn& column, const Bitmap& rows, ValueTable& table, int64_t& memory) {
  if (column.form == TextColumn::Form::kDictionary) {
    std::vector<uint64_t> counts(column.dictionary.size());
    rows.ForEach([&](uint32_t row) { ++counts[column.ids[row]]; });
    for (size_t i = 0; i < counts.size(); ++i) {
      const Value& value = column.dictionary[i];
      if (!value.missing()) table.Add(value.text(), counts[i], memory);
    }
    return;
  }
  rows.ForEach([&](uint32_t row) {
    const Value value = column.Get(row);
    if (!value.missing()) table.Add(value.text(), 1, memory);
  });
}

bool IsInteger(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

std::string_view KindOf(const std::vector<const ValueTable::Entry*>& entries, bool numbers) {
  size_t integers = 0, reals = 0, booleans = 0, json = 0;
  for (const ValueTable::Entry* entry : entries) {
    const std::string& text = entry->text;
    if (IsInteger(text)) {
      ++integers;
    } else if (text.starts_with('{') || text.starts_with('[')) {
      ++json;
    } else if (text == "true" || text == "false") {
      ++booleans;
    } else if (Number::Parse(text)) {
      ++reals;
    }
  }
  const size_t all = entries.size();
  if (all == 0) return "text";
  if (integers == all) return "integer";
  if (integers + reals == all) return "number";
  if (booleans == all) return "boolean";
  if (json == all) return "json";
  return numbers ? "mixed" : "text";
}

bool HasPrefix(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(),
                    [](char a, char b) { return FoldAscii(a) == FoldAscii(b); });
}

// One call of FieldStatistics.
class Collector {
 public:
  Collector(const store::Snapshot& snapshot, const Query& query, const FieldStatsRequest& request)
      : blocks_(snapshot.blocks()),
        request_(request),
        wanted_(request.fields.begin(), request.fields.end()),
        scan_(snapshot, query, request.from, request.to, request.limits, request.explain) {
    for (Shard& shard : shards_) {
      shard.memory = static_cast<int64_t>(request.limits.memory.bytes / 2 / kShards);
    }
  }

  Result<FieldStatsResult> Run() {
    FieldStatsResult result;
    size_t at = 0;
    for (; at < blocks_.size() && result.rows < request_.rows; at += kWaveBlocks) {
      RETURN_IF_ERROR(
          scan_.Run([this](Scan::Worker& worker, uint32_t block,
                           BlockScan::Verdict verdict) { return AddBlock(worker, block, verdict); },
                    {}, {at, at + kWaveBlocks, kGroupBlocks}));
      if (scan_.cancelled()) return CancelledError("the query was cancelled");
      if (scan_.stopped()) break;
      result.rows = 0;
      for (const Shard& shard : shards_) result.rows += shard.rows;
      if (at + kWaveBlocks < blocks_.size() &&
          blocks_[at + kWaveBlocks]->time_max() < request_.from) {
        at = blocks_.size();
        break;
      }
    }
    result.complete = at >= blocks_.size() && !scan_.stopped();
    return Finish(std::move(result));
  }

 private:
  Status AddBlock(Scan::Worker& worker, uint32_t index, BlockScan::Verdict verdict) {
    const store::Block& block = *blocks_[index];
    store::BlockReader& reader = worker.scan.reader();
    Bitmap rows(block.rows(), true);
    RETURN_IF_ERROR(KeepTimes(block, reader, request_.from, request_.to, rows));
    worker.clock.Lap(Stage::kTimes);
    worker.rows_scanned += rows.Count();
    if (verdict == BlockScan::Verdict::kSome) RETURN_IF_ERROR(worker.scan.Narrow(rows));
    worker.clock.Lap(Stage::kMatch);
    if (worker.interrupt.stopped() || !rows.Any()) return OkStatus();
    Shard& shard = shards_[index / kGroupBlocks % kShards];
    const uint32_t count = rows.Count();
    worker.rows_matched += count;
    const std::span<const ColumnInfo> columns = block.columns();
    for (size_t i = 0; i < columns.size(); ++i) {
      ValueTable* const table = TableOf(shard, columns[i]);
      if (table == nullptr) continue;
      if (columns[i].constant) {
        if (!columns[i].value.missing()) table->Add(columns[i].value.text(), count, shard.memory);
        continue;
      }
      ASSIGN_OR_RETURN(const TextColumn* column, reader.Column(static_cast<int>(i)));
      worker.clock.Lap(Stage::kDecode);
      AddColumn(*column, rows, *table, shard.memory);
      worker.clock.Lap(Stage::kRows);
      if (worker.interrupt.Check()) return OkStatus();
    }
    shard.rows += count;
    return OkStatus();
  }

  ValueTable* TableOf(Shard& shard, const ColumnInfo& info) {
    const bool asked = wanted_.contains(info.name);
    if (wanted_.empty() ? info.kind == ColumnKind::kBody : !asked) return nullptr;
    FieldKey key{std::string(info.name), info.kind == ColumnKind::kResource};
    const auto it = shard.fields.find(key);
    if (it != shard.fields.end()) return &it->second;
    if (shard.fields.size() >= kStatFieldsMax) {
      ++shard.fields_left_out;
      return nullptr;
    }
    return &shard.fields[std::move(key)];
  }

  Result<FieldStatsResult> Finish(FieldStatsResult result) {
    result.rows = 0;
    std::map<FieldKey, ValueTable> all;
    int64_t memory = static_cast<int64_t>(request_.limits.memory.bytes / 2);
    for (Shard& shard : shards_) {
      result.rows += shard.rows;
      result.fields_left_out += shard.fields_left_out;
      for (auto& [key, table] : shard.fields) {
        const auto [it, fresh] = all.try_emplace(key);
        if (fresh) {
          it->second = std::move(table);
        } else {
          it->second.Merge(table, memory);
        }
      }
      shard.fields.clear();
    }
    for (const auto& [key, table] : all) {
      if (table.count() != 0) result.fields.push_back(Describe(key, table));
    }
    std::stable_sort(result.fields.begin(), result.fields.end(),
                     [](const auto& a, const auto& b) { return a.present > b.present; });
    if (result.fields.size() > kStatFieldsMax) {
      result.fields_left_out += result.fields.size() - kStatFieldsMax;
      result.fields.resize(kStatFieldsMax);
    }
    Outcome outcome;
    scan_.AddLosses(outcome);
    RETURN_IF_ERROR(outcome.ErrorIfNothing(result.rows > 0));
    result.partial = outcome.partial();
    scan_.Fill(result.stats, result.explain);
    return result;
  }

  FieldStat Describe(const FieldKey& key, const ValueTable& table) const {
    FieldStat out{key.first,        key.second,    {}, table.count(),
                  table.distinct(), table.exact(), {}, {}};
    std::vector<const ValueTable::Entry*> entries = table.entries();
    out.numbers = SummariseNumbers(table, entries);
    out.kind = KindOf(entries, out.numbers.has_value());
    std::erase_if(entries, [this](const ValueTable::Entry* entry) {
      return !HasPrefix(entry->text, request_.prefix);
    });
    const size_t top = std::min<size_t>(std::min(request_.top, kTopValuesMax), entries.size());
    std::partial_sort(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(top), entries.end(),
                      [](const ValueTable::Entry* a, const ValueTable::Entry* b) {
                        return a->count != b->count ? a->count > b->count : a->text < b->text;
                      });
    for (size_t i = 0; i < top; ++i) out.top.push_back({entries[i]->text, entries[i]->count});
    return out;
  }

  const std::span<const std::shared_ptr<const store::Block>> blocks_;
  const FieldStatsRequest& request_;
  const std::set<std::string, std::less<>> wanted_;
  Scan scan_;
  std::array<Shard, kShards> shards_;
};

std::string JsonString(std::string_view text) {
  codec::ByteBuffer buffer;
  codec::AppendJsonString(buffer, text);
  return std::string(buffer.view());
}

void PrintNumbers(const NumberStats& n, std::string& out) {
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "{{\"count\":{},\"min\":{},\"max\":{},\"mean\":{},\"p50\":{},\"p90\":{},"
                 "\"p95\":{},\"p99\":{},\"histogram\":[",
                 n.count, n.min, n.max, n.average, n.p50, n.p90, n.p95, n.p99);
  // Equal numbers have one bar.
  const size_t bars = n.min < n.max ? n.buckets.size() : 1;
  const double width = (n.max - n.min) / static_cast<double>(bars);
  const auto border = [&](size_t i) {
    if (i == bars) return n.max;
    // Between numbers so far apart that their difference is no number, JSON would get "inf".
    return std::isfinite(width) ? n.min + width * static_cast<double>(i)
                                : std::lerp(n.min, n.max, static_cast<double>(i) / kNumberBuckets);
  };
  for (size_t i = 0; i < bars; ++i) {
    fmt::format_to(to, "{}{{\"from\":{},\"to\":{},\"rows\":{}}}", i == 0 ? "" : ",", border(i),
                   border(i + 1), n.buckets[i]);
  }
  out += "]}";
}

}  // namespace

Result<FieldStatsResult> FieldStatistics(const store::Snapshot& snapshot, const Query& query,
                                         const FieldStatsRequest& request) {
  if (request.from >= request.to) {
    return InvalidArgumentError("the beginning of the statistics must be before their end");
  }
  return Collector(snapshot, query, request).Run();
}

void PrintFieldJson(const FieldStat& field, uint64_t rows, std::string& out) {
  auto to = std::back_inserter(out);
  const double share =
      rows == 0 ? 0 : static_cast<double>(field.present) / static_cast<double>(rows);
  fmt::format_to(to,
                 "{{\"name\":{},\"resource\":{},\"kind\":\"{}\",\"rows\":{},\"coverage\":{:.4f},"
                 "\"distinct\":{},\"distinct_exact\":{},\"top\":[",
                 JsonString(field.name), field.resource, field.kind, field.present, share,
                 field.distinct, field.exact);
  for (size_t i = 0; i < field.top.size(); ++i) {
    fmt::format_to(to, "{}{{\"value\":{},\"rows\":{}}}", i == 0 ? "" : ",",
                   JsonString(field.top[i].value), field.top[i].count);
  }
  out += "],\"numbers\":";
  if (field.numbers) {
    PrintNumbers(*field.numbers, out);
  } else {
    out += "null";
  }
  out += '}';
}

void PrintFieldStatsJson(const FieldStatsResult& result, std::string& out) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{{\"rows\":{},\"sampled\":{},\"fields\":[", result.rows, !result.complete);
  for (size_t i = 0; i < result.fields.size(); ++i) {
    if (i > 0) out += ',';
    PrintFieldJson(result.fields[i], result.rows, out);
  }
  fmt::format_to(to, "],\"fields_left_out\":{}}}", result.fields_left_out);
}

}  // namespace kelp::query
