#include "sql/log_scan.h"

#include <algorithm>
#include <cstring>
#include <deque>

#include "codec/utf8.h"
#include "query/block_scan.h"
#include "query/interrupt.h"
#include "query/time_filter.h"

namespace kelp::sql {
namespace {

using query::Bitmap;
using query::BlockScan;
using store::Block;
using store::TextColumn;
using Type = LogColumn::Type;

constexpr uint32_t kInlineBytes = 12;  // of duckdb_string_t
constexpr uint64_t kMissing = UINT64_MAX;

// The columns of one appearance of `log` in a statement.
struct Scan {
  LogTable* table;
  std::vector<size_t> columns;  // by position in the chunk; kMissing: none is wanted
  std::atomic<size_t> next_block{0};
};

duckdb_string_t MakeString(std::string_view text) {
  duckdb_string_t out;
  const auto size = static_cast<uint32_t>(text.size());
  if (size <= kInlineBytes) {
    std::memset(&out, 0, sizeof(out));
    out.value.inlined.length = size;
    std::memcpy(out.value.inlined.inlined, text.data(), size);
  } else {
    out.value.pointer.length = size;
    std::memcpy(out.value.pointer.prefix, text.data(), sizeof(out.value.pointer.prefix));
    out.value.pointer.ptr = const_cast<char*>(text.data());
  }
  return out;
}

std::string ReplaceInvalid(std::string_view text) {
  std::string out;
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    const codec::Utf8Step step = codec::NextUtf8(p, end);
    out += step.valid ? std::string_view(p, step.size) : codec::kReplacement;
    p += step.size;
  }
  return out;
}

// True when each value of the column is UTF-8: all of them together are, and none begins inside a
// code point.
bool AllUtf8(const TextColumn& column) {
  if (!codec::IsUtf8(column.data)) return false;
  for (const uint32_t offset : column.offsets) {
    if (offset < column.data.size() && (column.data[offset] & 0xC0) == 0x80) return false;
  }
  return true;
}

// What one thread knows of its block's values of one column.
template <typename T>
struct Feed {
  std::vector<T> dictionary;
  std::vector<uint8_t> missing;  // by dictionary entry
};

class LocalScan {
 public:
  explicit LocalScan(Scan& scan)
      : scan_(scan),
        table_(*scan.table),
        interrupt_(table_.limits),
        blocks_(table_.query, interrupt_),
        sources_(scan.columns.size()),
        plain_is_utf8_(scan.columns.size()) {}
  ~LocalScan() {
    table_.bytes_read += blocks_.reader().bytes_decoded();
    table_.regexes_gave_up += blocks_.regexes_gave_up();
  }

  // Fills a chunk; an empty one ends the scan. Not OK: the statement must end.
  Status Fill(duckdb_data_chunk chunk) {
    repaired_.clear();
    const DuckDbLibrary& library = table_.library;
    while (at_ >= count_) {
      ASSIGN_OR_RETURN(const bool more, NextBlock());
      if (!more) {
        library.data_chunk_set_size(chunk, 0);
        return OkStatus();
      }
    }
    const uint32_t size =
        std::min<uint32_t>(static_cast<uint32_t>(library.vector_size()), count_ - at_);
    for (size_t i = 0; i < scan_.columns.size(); ++i) {
      if (scan_.columns[i] == kMissing) continue;
      RETURN_IF_ERROR(FillColumn(i, library.data_chunk_get_vector(chunk, i), size));
    }
    at_ += size;
    library.data_chunk_set_size(chunk, size);
    return OkStatus();
  }

 private:
  uint32_t RowAt(uint32_t i) const { return rows_.empty() ? at_ + i : rows_[at_ + i]; }

  // Goes to the next block with matching rows; false when there is none.
  Result<bool> NextBlock() {
    if (block_ != nullptr) CountBlock();
    at_ = count_ = 0;
    while (true) {
      if (interrupt_.Check()) return CancelledError("interrupted");
      const size_t index = scan_.next_block++;
      if (index >= table_.blocks.size()) return false;
      block_ = table_.blocks[index].block.get();
      if (const std::string_view name = table_.blocks[index].logstore; !name.empty()) {
        logstore_ = MakeString(name);
      }
      const Status opened = OpenBlock();
      if (!opened.ok()) {
        // What is damaged is left out of the answer, which says so.
        MutexLock lock(table_.mu);
        RETURN_IF_ERROR(table_.outcome.Forgive(opened));
        count_ = 0;
      }
      if (interrupt_.stopped()) return CancelledError("interrupted");
      if (count_ == 0) {
        CountBlock();
        continue;
      }
      table_.rows_given += count_;
      return true;
    }
  }

  // Says in the statement's progress that block_ is done.
  void CountBlock() {
    const uint64_t bytes = blocks_.reader().bytes_decoded();
    if (table_.limits.progress != nullptr) {
      table_.limits.progress->AddBlock(block_->rows(), count_, bytes - bytes_counted_);
    }
    bytes_counted_ = bytes;
    block_ = nullptr;
  }

  Status OpenBlock() {
    rows_.clear();
    count_ = 0;
    const BlockScan::Verdict verdict = blocks_.Open(*block_);
    if (verdict == BlockScan::Verdict::kNone) return OkStatus();
    ++table_.blocks_read;
    table_.rows_read += block_->rows();
    const bool inside = block_->time_min() >= table_.from && block_->time_max() < table_.to;
    if (verdict == BlockScan::Verdict::kAll && inside) {
      count_ = block_->rows();
    } else {
      Bitmap rows(block_->rows(), true);
      RETURN_IF_ERROR(query::KeepTimes(*block_, blocks_.reader(), table_.from, table_.to, rows));
      if (verdict == BlockScan::Verdict::kSome) RETURN_IF_ERROR(blocks_.Narrow(rows));
      rows.ForEach([&](uint32_t row) { rows_.push_back(row); });
      count_ = static_cast<uint32_t>(rows_.size());
    }
    return count_ == 0 ? OkStatus() : BindColumns();
  }

  // Finds and decodes what the columns mean in this block.
  Status BindColumns() {
    for (size_t i = 0; i < scan_.columns.size(); ++i) {
      sources_[i].clear();
      plain_is_utf8_[i] = false;
      if (scan_.columns[i] == kMissing) continue;
      const LogColumn& column = table_.schema.columns()[scan_.columns[i]];
      switch (column.source) {
        case LogColumn::Source::kTime:
          RETURN_IF_ERROR(blocks_.reader().Times().status());
          break;
        case LogColumn::Source::kOrigin:
        case LogColumn::Source::kOffset:
          RETURN_IF_ERROR(blocks_.reader().Origins().status());
          break;
        case LogColumn::Source::kLogstore:
          break;
        case LogColumn::Source::kBody:
        case LogColumn::Source::kValue:
          RETURN_IF_ERROR(BindValues(i, column));
          break;
      }
    }
    return OkStatus();
  }

  Status BindValues(size_t i, const LogColumn& column) {
    const bool body = column.source == LogColumn::Source::kBody;
    const std::string lower = LowerName(column.name);
    const std::span<const store::ColumnInfo> infos = block_->columns();
    for (size_t c = 0; c < infos.size(); ++c) {
      const bool is_body = infos[c].kind == store::ColumnKind::kBody;
      if (is_body != body || (!body && LowerName(infos[c].name) != lower)) continue;
      ASSIGN_OR_RETURN(const TextColumn* values, blocks_.reader().Column(static_cast<int>(c)));
      sources_[i].push_back(values);
    }
    if (sources_[i].size() == 1 && sources_[i][0]->form == TextColumn::Form::kPlain) {
      plain_is_utf8_[i] = AllUtf8(*sources_[i][0]);
    }
    return OkStatus();
  }

  Status FillColumn(size_t i, duckdb_vector vector, uint32_t size) {
    const size_t index = scan_.columns[i];
    const LogColumn& column = table_.schema.columns()[index];
    void* out = table_.library.vector_get_data(vector);
    switch (column.source) {
      case LogColumn::Source::kTime:
        return FillTimes(static_cast<int64_t*>(out), size);
      case LogColumn::Source::kOrigin:
        return FillOrigins(vector, size);
      case LogColumn::Source::kOffset:
        return FillOffsets(static_cast<int64_t*>(out), size);
      case LogColumn::Source::kLogstore:
        std::fill_n(static_cast<duckdb_string_t*>(out), size, logstore_);
        return OkStatus();
      case LogColumn::Source::kBody:
      case LogColumn::Source::kValue:
        break;
    }
    uint64_t misfits = 0;
    switch (column.type) {
      case Type::kText:
        FillValues<duckdb_string_t>(
            i, vector, size, [&](const Value& value, duckdb_string_t& text) {
              if (value.missing()) return false;
              text = MakeString(plain_is_utf8_[i] ? value.text() : Repaired(value.text()));
              return true;
            });
        return OkStatus();
      case Type::kInteger:
        FillValues<int64_t>(i, vector, size, [&](const Value& value, int64_t& number) {
          const Fit fit = ReadInteger(value, number);
          misfits += fit == Fit::kMisfit ? 1 : 0;
          return fit == Fit::kFits;
        });
        break;
      case Type::kReal:
      case Type::kLooseReal:
        FillValues<double>(i, vector, size, [&](const Value& value, double& number) {
          const Fit fit = column.type == Type::kReal
                              ? ReadReal(value, column.fraction_digits, number)
                              : ReadLooseReal(value, number);
          misfits += fit == Fit::kMisfit ? 1 : 0;
          return fit == Fit::kFits;
        });
        break;
    }
    if (misfits == 0) return OkStatus();
    table_.misfits[index] += misfits;
    return column.type == Type::kLooseReal ? OkStatus() : InternalError("misfit");
  }

  // Calls convert(value, out[i]) for the chunk's rows; false makes a NULL. Dictionaries are
  // converted once a chunk only when that is less work.
  template <typename T, typename Convert>
  void FillValues(size_t i, duckdb_vector vector, uint32_t size, Convert convert) {
    T* out = static_cast<T*>(table_.library.vector_get_data(vector));
    uint64_t* validity = nullptr;
    const auto set_null = [&](uint32_t row) {
      if (validity == nullptr) {
        table_.library.vector_ensure_validity_writable(vector);
        validity = table_.library.vector_get_validity(vector);
      }
      validity[row / 64] &= ~(uint64_t{1} << (row % 64));
    };
    const auto& sources = sources_[i];
    if (sources.size() != 1) {
      for (uint32_t row = 0; row < size; ++row) {
        Value value;
        for (const TextColumn* source : sources) {
          value = source->Get(RowAt(row));
          if (!value.missing()) break;
        }
        if (sources.empty() || !convert(value, out[row])) set_null(row);
      }
      return;
    }
    const TextColumn& column = *sources[0];
    if (column.form == TextColumn::Form::kPlain) {
      for (uint32_t row = 0; row < size; ++row) {
        if (!convert(column.Get(RowAt(row)), out[row])) set_null(row);
      }
      return;
    }
    Feed<T>& feed = FeedOf<T>();
    feed.dictionary.resize(column.dictionary.size());
    feed.missing.assign(column.dictionary.size(), kUnknown);
    for (uint32_t row = 0; row < size; ++row) {
      const size_t id = column.form == TextColumn::Form::kConstant ? 0 : column.ids[RowAt(row)];
      if (feed.missing[id] == kUnknown) {
        feed.missing[id] = convert(column.dictionary[id], feed.dictionary[id]) ? 0 : 1;
      }
      if (feed.missing[id] == 0) {
        out[row] = feed.dictionary[id];
      } else {
        set_null(row);
      }
    }
  }

  Status FillTimes(int64_t* out, uint32_t size) {
    ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, blocks_.reader().Times());
    constexpr int64_t kNanosPerMicro = 1000;
    for (uint32_t row = 0; row < size; ++row) {
      const int64_t time = times[RowAt(row)];
      // Downwards, also before 1970.
      out[row] = time / kNanosPerMicro - (time % kNanosPerMicro < 0 ? 1 : 0);
    }
    return OkStatus();
  }

  Status FillOrigins(duckdb_vector vector, uint32_t size) {
    ASSIGN_OR_RETURN(const store::OriginColumn* origins, blocks_.reader().Origins());
    for (uint32_t row = 0; row < size; ++row) {
      const uint32_t at = origins->rows.empty() ? 0 : origins->rows[RowAt(row)];
      const std::string id = origins->ids[at].ToString();
      table_.library.vector_assign_string_element_len(vector, row, id.data(), id.size());
    }
    return OkStatus();
  }

  Status FillOffsets(int64_t* out, uint32_t size) {
    ASSIGN_OR_RETURN(const store::OriginColumn* origins, blocks_.reader().Origins());
    for (uint32_t row = 0; row < size; ++row) {
      out[row] = static_cast<int64_t>(origins->offsets[RowAt(row)]);
    }
    return OkStatus();
  }

  // DuckDB takes only UTF-8. What is none gets U+FFFD, in a copy that lives as long as the chunk.
  std::string_view Repaired(std::string_view text) {
    if (codec::IsUtf8(text)) return text;
    return repaired_.emplace_back(ReplaceInvalid(text));
  }

  template <typename T>
  Feed<T>& FeedOf() {
    if constexpr (std::is_same_v<T, int64_t>) {
      return integers_;
    } else if constexpr (std::is_same_v<T, double>) {
      return reals_;
    } else {
      return texts_;
    }
  }

  static constexpr uint8_t kUnknown = 2;

  Scan& scan_;
  LogTable& table_;
  query::Interrupt interrupt_;
  BlockScan blocks_;
  const Block* block_ = nullptr;
  duckdb_string_t logstore_{};  // of block_
  uint64_t bytes_counted_ = 0;
  std::vector<uint32_t> rows_;  // matching rows; empty: all
  uint32_t at_ = 0;
  uint32_t count_ = 0;
  std::vector<std::vector<const TextColumn*>> sources_;  // by position: columns of the block
  std::vector<uint8_t> plain_is_utf8_;
  std::deque<std::string> repaired_;
  Feed<duckdb_string_t> texts_;
  Feed<int64_t> integers_;
  Feed<double> reals_;
};

duckdb_type DuckDbType(const LogColumn& column) {
  if (column.source == LogColumn::Source::kTime) return DUCKDB_TYPE_TIMESTAMP;
  switch (column.type) {
    case Type::kText:
      break;
    case Type::kInteger:
      return DUCKDB_TYPE_BIGINT;
    case Type::kReal:
    case Type::kLooseReal:
      return DUCKDB_TYPE_DOUBLE;
  }
  return DUCKDB_TYPE_VARCHAR;
}

template <typename T>
void Delete(void* pointer) {
  delete static_cast<T*>(pointer);
}

// What Bind leaves for the later calls, some of which get no extra info.
struct TableRef {
  LogTable* table;
};

const DuckDbLibrary* g_library = nullptr;  // the callbacks come without any context of ours

void Bind(duckdb_bind_info info) {
  auto& table = *static_cast<LogTable*>(g_library->bind_get_extra_info(info));
  for (const LogColumn& column : table.schema.columns()) {
    duckdb_logical_type type = g_library->create_logical_type(DuckDbType(column));
    g_library->bind_add_result_column(info, column.name.c_str(), type);
    g_library->destroy_logical_type(&type);
  }
  uint64_t rows = 0;
  for (const LogBlock& one : table.blocks) rows += one.block->rows();
  g_library->bind_set_cardinality(info, rows, false);
  g_library->bind_set_bind_data(info, new TableRef{&table}, Delete<TableRef>);
}

void Init(duckdb_init_info info) {
  auto& table = *static_cast<LogTable*>(g_library->init_get_extra_info(info));
  auto scan = std::make_unique<Scan>();
  scan->table = &table;
  const uint64_t count = g_library->init_get_column_count(info);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t column = g_library->init_get_column_index(info, i);
    scan->columns.push_back(column < table.schema.columns().size() ? column : kMissing);
  }
  g_library->init_set_max_threads(
      info, std::max<uint64_t>(1, std::min<uint64_t>(table.threads, table.blocks.size())));
  g_library->init_set_init_data(info, scan.release(), Delete<Scan>);
}

// DuckDB gives the local state no way to the shared one, so it is made at the thread's first chunk.
struct LocalSlot {
  std::unique_ptr<LocalScan> scan;
};

void InitLocal(duckdb_init_info info) {
  g_library->init_set_init_data(info, new LocalSlot, Delete<LocalSlot>);
}

void Run(duckdb_function_info info, duckdb_data_chunk chunk) {
  auto& scan = *static_cast<Scan*>(g_library->function_get_init_data(info));
  auto& slot = *static_cast<LocalSlot*>(g_library->function_get_local_init_data(info));
  if (slot.scan == nullptr) slot.scan = std::make_unique<LocalScan>(scan);
  const Status status = slot.scan->Fill(chunk);
  if (status.ok()) return;
  g_library->function_set_error(info, std::string(status.message()).c_str());
}

}  // namespace

LogTable::LogTable(const DuckDbLibrary& l, const store::Snapshot& snapshot, const query::Query& q,
                   const LogSchema& s)
    : library(l),
      query(q),
      schema(s),
      blocks_total(snapshot.blocks().size()),
      misfits(s.columns().size()) {
  blocks.reserve(blocks_total);
  for (size_t i = 0; i < blocks_total; ++i) {
    blocks.push_back({snapshot.blocks()[i], snapshot.SourceOf(i)});
  }
}

Status LogTable::Register(duckdb_connection connection, const char* name) {
  g_library = &library;
  std::erase_if(blocks, [&](const LogBlock& one) {
    const Block& block = *one.block;
    return block.rows() == 0 || block.time_max() < from || block.time_min() >= to;
  });
  if (limits.progress != nullptr) {
    // A statement that starts again with other types begins anew.
    limits.progress->blocks = blocks.size();
    limits.progress->blocks_done = 0;
  }
  duckdb_table_function function = library.create_table_function();
  library.table_function_set_name(function, name);
  library.table_function_set_extra_info(function, this, nullptr);
  library.table_function_set_bind(function, Bind);
  library.table_function_set_init(function, Init);
  library.table_function_set_local_init(function, InitLocal);
  library.table_function_set_function(function, Run);
  library.table_function_supports_projection_pushdown(function, true);
  const duckdb_state state = library.register_table_function(connection, function);
  library.destroy_table_function(&function);
  return state == DuckDBSuccess ? OkStatus() : InternalError("cannot register the table of rows");
}

}  // namespace kelp::sql
