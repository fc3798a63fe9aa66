#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/log.h"
#include "sql/cells.h"
#include "sql/database.h"
#include "sql/lexer.h"
#include "sql/log_scan.h"
#include "sql/pipes.h"
#include "sql/sql.h"
#include "sql/statement.h"
#include "sql/watchdog.h"

namespace kelp::sql {
namespace {

using Type = LogColumn::Type;

// How often a statement may start again because values did not fit the types of their columns. Each
// time at least one column gets a wider type, and most statements name few.
constexpr int kStartsMax = 12;

// Row groups of 32 Ki rows: two threads hold one each, which must fit into the memory limit.
constexpr const char* kParquetOptions = " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 32768)";

Duration CpuOfProcess() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

std::string TrimEnd(std::string sql) {
  while (!sql.empty() && (sql.back() == ';' || sql.back() == ' ' || sql.back() == '\n' ||
                          sql.back() == '\t' || sql.back() == '\r')) {
    sql.pop_back();
  }
  return sql;
}

// One call of Engine::Run.
class Run {
 public:
  Run(const Options& options, const store::Snapshot& snapshot, const query::Query& query,
      const Request& request, RowSink& sink, Outcome& outcome, Problem& problem)
      : options_(options),
        snapshot_(snapshot),
        query_(query),
        request_(request),
        sink_(sink),
        outcome_(outcome),
        problem_(problem),
        schema_(snapshot, request.from, request.to) {}

  bool Do() {
    const auto begin = std::chrono::steady_clock::now();
    const Duration cpu = CpuOfProcess();
    const bool good = Prepare() && Start();
    outcome_.stats.wall = std::chrono::steady_clock::now() - begin;
    outcome_.stats.cpu = CpuOfProcess() - cpu;
    return good;
  }

 private:
  bool Fail(Status status, std::optional<size_t> position = std::nullopt) {
    problem_ = {std::move(status), position};
    return false;
  }

  // Of what the user wrote: SQL or pipes.
  size_t WrittenPlace(size_t place) const { return piped_ ? piped_->OriginalPlace(place) : place; }

  bool Prepare() {
    auto opened = Database::Open(
        {options_.library, options_.threads, request_.limits.memory, "", request_.parquet_file});
    if (!opened.ok()) return Fail(opened.status());
    database_ = *std::move(opened);
    std::string_view text = request_.statement;
    if (!IsSql(text)) {
      if (!TranslatePipes(text, piped_.emplace(), problem_)) return false;
      text = piped_->sql();
    }
    if (!CheckStatement(*database_, text, schema_, statement_, problem_)) {
      if (problem_.position) problem_.position = WrittenPlace(*problem_.position);
      return false;
    }
    outcome_.sql = TrimEnd(statement_.sql);
    for (const std::string& macro : statement_.macros) {
      if (Status made = database_->Execute(macro); !made.ok()) return Fail(std::move(made));
    }
    schema_.Infer(statement_.columns);
    return true;
  }

  bool Start() {
    Watchdog watchdog(request_.limits, [this] { database_->Interrupt(); });
    watchdog_ = &watchdog;
    for (int start = 0; start < kStartsMax; ++start) {
      LogTable table(database_->library(), snapshot_, query_, schema_);
      table.from = request_.from;
      table.to = request_.to;
      table.limits = request_.limits;
      table.threads = static_cast<uint64_t>(options_.threads);
      const std::string name = fmt::format("log_rows_{}", start);
      Status made = table.Register(database_->connection(), name.c_str());
      if (made.ok()) {
        made =
            database_->Execute("CREATE OR REPLACE TEMP VIEW log AS SELECT * FROM " + name + "()");
      }
      if (!made.ok()) return Fail(std::move(made));
      const Next next = Attempt(table);
      if (next == Next::kDone) return Finish(table);
      if (next == Next::kFailed) return false;
    }
    return Fail(InternalError("the types of the columns do not settle"));
  }

  enum class Next : uint8_t { kDone, kFailed, kAgain };

  Next Attempt(LogTable& table) {
    std::vector<CellColumn> columns;
    {
      const Prepared inner(*database_, outcome_.sql);
      if (inner.error()) return Loosen(*inner.error());
      for (size_t i = 0; i < inner.column_count(); ++i) {
        columns.push_back(DescribeColumn(inner.column_name(i), inner.column_type(i)));
      }
    }
    if (!request_.parquet_file.empty()) return Copy(table);
    const Prepared outer(*database_, WithCasts(outcome_.sql, columns));
    if (outer.error()) return Refuse(*outer.error());
    std::vector<duckdb_type> types;
    for (size_t i = 0; i < outer.column_count(); ++i) types.push_back(outer.column_type(i));
    return Fetch(table, outer, columns, types);
  }

  // Where the statement wants numbers of columns that are mostly numbers, it gets them.
  Next Loosen(const DuckDbError& error) {
    bool any = false;
    if (!first_error_ && error.kind == "Binder" && error.subtype != "COLUMN_NOT_FOUND") {
      for (const size_t column : statement_.columns) {
        LogColumn& c = schema_.columns()[column];
        if (c.type != Type::kText || !c.mostly_numbers) continue;
        c.type = Type::kLooseReal;
        any = true;
      }
    }
    if (any) {
      first_error_ = error;
      return Next::kAgain;
    }
    return Refuse(first_error_ ? *first_error_ : error);
  }

  Next Refuse(const DuckDbError& error) {
    std::string message = error.message;
    if (error.subtype == "COLUMN_NOT_FOUND") {
      std::vector<std::string_view> names;
      for (const LogColumn& column : schema_.columns()) names.push_back(column.name);
      message = "there is no column " + error.name + Propose(error.name, names);
    } else if (message.find("VARCHAR") != message.npos) {
      message += " Texts become numbers with TRY_CAST(x AS DOUBLE).";
    }
    std::optional<size_t> position = error.position;
    if (position) {
      position = WrittenPlace(statement_.OriginalPlace(std::min(*position, outcome_.sql.size())));
    }
    Fail(InvalidArgumentError(std::move(message)), position);
    return Next::kFailed;
  }

  Next Fetch(LogTable& table, const Prepared& prepared, const std::vector<CellColumn>& columns,
             const std::vector<duckdb_type>& types) {
    const DuckDbLibrary& library = database_->library();
    std::vector<ResultColumn> names;
    for (const CellColumn& column : columns) names.push_back(column.column);
    outcome_.rows = 0;
    outcome_.more = false;
    duckdb_result result;
    const duckdb_state state = library.execute_prepared_streaming(prepared.get(), &result);
    bool started = false;
    CellPrinter printer(library, columns, types);
    bool enough = false;
    while (state == DuckDBSuccess && !enough) {
      duckdb_data_chunk chunk = library.fetch_chunk(result);
      if (chunk == nullptr) break;
      if (!std::exchange(started, true)) sink_.Start(names);
      printer.Open(chunk);
      enough = !Give(printer);
      library.destroy_data_chunk(&chunk);
    }
    const char* said = library.result_error(&result);
    const bool failed = !enough && said != nullptr && *said != 0;
    const DuckDbError error = DuckDbError::Parse(failed ? said : "");
    library.destroy_result(&result);
    if (failed) return Explain(table, error);
    if (!started) sink_.Start(names);
    outcome_.chart = ChartOf(columns);
    return Next::kDone;
  }

  // Lets DuckDB write the rows into the file.
  Next Copy(LogTable& table) {
    const Prepared copy(*database_, "COPY (" + outcome_.sql + ") TO " +
                                        QuoteText(request_.parquet_file) + kParquetOptions);
    if (copy.error()) return Refuse(*copy.error());
    const DuckDbLibrary& library = database_->library();
    duckdb_result result;
    const duckdb_state state = library.execute_prepared(copy.get(), &result);
    const char* said = library.result_error(&result);
    const DuckDbError error = DuckDbError::Parse(said == nullptr ? "" : said);
    library.destroy_result(&result);
    return state == DuckDBSuccess ? Next::kDone : Explain(table, error);
  }

  // False when enough rows were given.
  bool Give(CellPrinter& printer) {
    for (uint64_t row = 0; row < printer.rows(); ++row) {
      if (outcome_.rows == request_.rows_max) {
        outcome_.more = true;
        return false;
      }
      if (!sink_.Row(printer.Row(row))) return false;
      ++outcome_.rows;
    }
    return true;
  }

  // What a failure means: ours first, then DuckDB's own.
  Next Explain(LogTable& table, const DuckDbError& error) {
    bool demoted = false;
    for (size_t i = 0; i < schema_.columns().size(); ++i) {
      LogColumn& column = schema_.columns()[i];
      if (table.misfits[i] == 0 || column.type == Type::kLooseReal) continue;
      const bool widen = column.type == Type::kInteger && !column.was_real;
      column.type = widen ? Type::kReal : Type::kText;
      column.was_real = true;
      column.mostly_numbers = true;
      demoted = true;
    }
    if (demoted && outcome_.rows == 0) return Next::kAgain;
    switch (watchdog_->why()) {
      case Watchdog::Why::kCancelled:
        Fail(CancelledError("the query was cancelled"));
        return Next::kFailed;
      case Watchdog::Why::kTime:
        Fail(DeadlineExceededError(
            "the statement ran into its time limit of " + FormatDuration(request_.limits.time) +
            "; a shorter span of time or a narrower search makes it faster"));
        return Next::kFailed;
      case Watchdog::Why::kMemory:
        FailMemory();
        return Next::kFailed;
      case Watchdog::Why::kNone:
        break;
    }
    if (error.kind == "Out of Memory" || error.type == DUCKDB_ERROR_OUT_OF_MEMORY) {
      FailMemory();
    } else if (demoted) {
      Fail(InvalidArgumentError(
          "values of a column turned out not to be numbers after rows had been sent; "
          "CAST the column to VARCHAR, or TRY_CAST it to DOUBLE"));
    } else {
      Fail(InvalidArgumentError(error.message));
    }
    return Next::kFailed;
  }

  void FailMemory() {
    Fail(ResourceExhaustedError("the statement needs more memory than the limit of " +
                                FormatByteSize(request_.limits.memory) +
                                "; fewer groups, a LIMIT or a narrower search need less"));
  }

  bool Finish(LogTable& table) {
    query::Stats& stats = outcome_.stats;
    stats.blocks = table.blocks_total;
    const uint64_t read = table.blocks_read;
    stats.blocks_skipped = stats.blocks > read ? stats.blocks - read : 0;
    stats.rows_scanned = table.rows_read;
    stats.bytes_scanned = table.bytes_read;
    MutexLock lock(table.mu);
    table.outcome.AddRegexesGaveUp(table.regexes_gave_up);
    outcome_.partial = table.outcome.partial();
    for (size_t i = 0; i < schema_.columns().size(); ++i) {
      if (table.misfits[i] == 0) continue;
      if (!outcome_.partial.empty()) outcome_.partial += "; ";
      outcome_.partial += fmt::format("{} values of {} are not numbers and count as NULL",
                                      table.misfits[i].load(), schema_.columns()[i].name);
    }
    return true;
  }

  std::optional<Chart> ChartOf(const std::vector<CellColumn>& columns) const {
    Chart chart;
    for (const CellColumn& column : columns) {
      const ResultColumn& c = column.column;
      if (c.type == "time" && chart.x.empty()) {
        chart.x = c.name;
      } else if (c.type == "integer" || c.type == "number") {
        chart.values.push_back(c.name);
      } else if (c.type == "text" || c.type == "boolean") {
        chart.series.push_back(c.name);
      }
    }
    if (chart.values.empty()) return std::nullopt;
    if (!statement_.grouped) {
      if (outcome_.rows > 1 || !chart.x.empty() || !chart.series.empty()) return std::nullopt;
      chart.kind = "value";
      return chart;
    }
    chart.kind = chart.x.empty() ? "category" : "time";
    if (chart.x.empty() && !chart.series.empty()) {
      chart.x = chart.series.front();
      chart.series.erase(chart.series.begin());
    }
    return chart;
  }

  const Options& options_;
  const store::Snapshot& snapshot_;
  const query::Query& query_;
  const Request& request_;
  RowSink& sink_;
  Outcome& outcome_;
  Problem& problem_;
  LogSchema schema_;
  std::optional<PipedStatement> piped_;
  Statement statement_;
  std::unique_ptr<Database> database_;
  const Watchdog* watchdog_ = nullptr;
  std::optional<DuckDbError> first_error_;  // before columns were loosened
};

}  // namespace

Status Engine::Available() const { return DuckDbLibrary::Load(options_.library).status(); }

bool Engine::Run(const store::Snapshot& snapshot, const query::Query& query, const Request& request,
                 RowSink& sink, Outcome& outcome, Problem& problem) const {
  return kelp::sql::Run(options_, snapshot, query, request, sink, outcome, problem).Do();
}

}  // namespace kelp::sql
