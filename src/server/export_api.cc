// Export: all rows of a search, or the result of a statement, as a file.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "query/limits.h"
#include "query/row_scan.h"
#include "server/api.h"
#include "server/export_stream.h"
#include "server/export_writer.h"
#include "server/json_text.h"
#include "server/query_call.h"
#include "sql/lexer.h"

namespace kelp::server {
namespace {

// A page of rows on its way; rare rows of a large logstore take their time.
constexpr Duration kPageTimeMax = 10min;
// A statement sends its rows as long as somebody reads them.
constexpr Duration kStatementTimeMax = 6h;
// Of progress by time.
constexpr uint64_t kProgressSteps = 10'000;
constexpr size_t kFilePieceBytes = 256 << 10;
// Of reasons why rows are missing: each page may meet other damage, and people read a few lines.
constexpr size_t kReasonBytesMax = 2 << 10;

struct Format {
  std::string_view name;
  const char* content_type;
};
constexpr Format kFormats[] = {{"jsonl", "application/x-ndjson"},
                               {"csv", "text/csv; charset=utf-8"},
                               {"parquet", "application/vnd.apache.parquet"}};

Result<const Format*> FormatOf(const net::HttpRequest& request) {
  const std::string name = request.QueryParam("format").value_or("jsonl");
  for (const Format& format : kFormats) {
    if (format.name == name) return &format;
  }
  return InvalidArgumentError("\"format\" must be jsonl, csv or parquet, not \"" + name + "\"");
}

Result<std::vector<std::string>> FieldsOf(const net::HttpRequest& request) {
  std::vector<std::string> fields;
  const std::string text = request.QueryParam("fields").value_or("");
  for (std::string_view rest = text; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (comma != 0) fields.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (fields.size() <= kExportColumnsMax) return fields;
  return InvalidArgumentError("an export has at most " + std::to_string(kExportColumnsMax) +
                              " fields");
}

// "logs-20261121T201500Z.csv"
std::string FileName(Api& api, const net::HttpRequest& request, std::string_view format) {
  std::string time = FormatRfc3339(api.env.clock().Now()).substr(0, 19);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  std::string name(request.PathParam("logstore"));
  std::replace(name.begin(), name.end(), ',', '+');
  return name + "-" + time + "Z." + std::string(format);
}

// What one export has.
struct Job {
  Api& api;
  QueryCall call;
  std::string text;  // of the whole query
  size_t pipe;       // where its statement begins; npos: it has none
  const Format* format;
  std::vector<std::string> fields;
  ExportStream& stream;
  Problem& problem;
  bool ordered = true;  // newest first
  std::string partial;
};

void AddReason(std::string& partial, const std::string& reason) {
  if (reason.empty() || partial.find(reason) != partial.npos) return;
  if (partial.size() > kReasonBytesMax) return;
  if (!partial.empty()) partial += "; ";
  partial += reason;
}

// By how much of the span of stored rows lies behind: pages do not know how many blocks are left.
class TimeProgress {
 public:
  TimeProgress(const QueryCall& call) : progress_(call.running->state()->progress) {
    UnixNanos oldest = INT64_MAX, newest = INT64_MIN;
    for (const auto& block : call.snapshot->blocks()) {
      oldest = std::min(oldest, block->time_min());
      newest = std::max(newest, block->time_max());
    }
    from_ = std::max(call.span.from, oldest);
    to_ = std::min(call.span.to, newest);
    progress_.blocks = kProgressSteps;
  }
  void Add(const query::SearchResult& page) {
    progress_.rows_scanned += page.stats.rows_scanned;
    progress_.bytes += page.stats.bytes_scanned;
    progress_.rows += page.rows.size();
    if (page.rows.empty() || from_ >= to_) return;
    const double left = static_cast<double>(page.rows.back().time) - static_cast<double>(from_);
    const double whole = static_cast<double>(to_) - static_cast<double>(from_);
    const double done = std::clamp(1 - left / whole, 0.0, 1.0);
    progress_.blocks_done = static_cast<uint64_t>(done * kProgressSteps);
  }

 private:
  query::Progress& progress_;
  UnixNanos from_ = 0;
  UnixNanos to_ = 0;
};

// Block by block: each is decoded once.
Status ExportUnordered(Job& job, RowWriter& writer) {
  query::RowScanRequest request{
      .from = job.call.span.from, .to = job.call.span.to, .limits = job.call.limits};
  request.limits.time = kStatementTimeMax;
  ASSIGN_OR_RETURN(const auto scanned, query::ScanRows(*job.call.snapshot, *job.call.query, request,
                                                       [&](const query::Row& row) {
                                                         writer.Add(row, job.stream.text());
                                                         return job.stream.Flush();
                                                       }));
  AddReason(job.partial, scanned.partial);
  return OkStatus();
}

Status ExportRows(Job& job) {
  QueryCall& call = job.call;
  std::vector<std::string> columns = job.fields;
  std::unique_ptr<RowWriter> writer;
  if (job.format->name == "csv") {
    if (columns.empty()) columns = ColumnsOf(*call.snapshot, call.span.from, call.span.to);
    writer = NewCsvRows(std::move(columns));
  } else {
    writer = columns.empty() ? NewJsonRows() : NewJsonRows(std::move(columns));
  }
  writer->Begin(job.stream.text());
  if (!job.ordered) return ExportUnordered(job, *writer);
  TimeProgress progress(call);
  query::SearchRequest page{.from = call.span.from,
                            .to = call.span.to,
                            .limit = query::kRowsPerSearchMax,
                            .cursor = "",
                            .limits = call.limits};
  page.limits.time = kPageTimeMax;
  page.limits.progress = nullptr;
  do {
    Result<query::SearchResult> next = query::Search(*call.snapshot, *call.query, page);
    if (next.status().code() == Code::kDataLoss && !page.cursor.empty()) {
      // All that is left is damaged; what was sent stays good.
      AddReason(job.partial, std::string(next.status().message()));
      return OkStatus();
    }
    ASSIGN_OR_RETURN(const query::SearchResult found, std::move(next));
    for (const query::Row& row : found.rows) {
      writer->Add(row, job.stream.text());
      RETURN_IF_ERROR(job.stream.Flush());
    }
    // What a limit cut off comes with the next page.
    AddReason(job.partial, found.cursor.empty() ? found.partial : found.lost);
    progress.Add(found);
    page.cursor = found.cursor;
  } while (!page.cursor.empty());
  return OkStatus();
}

// Sends a statement's rows as they come.
class StreamSink final : public sql::RowSink {
 public:
  StreamSink(Job& job, std::unique_ptr<ResultWriter> writer)
      : job_(job), writer_(std::move(writer)) {}
  void Start(const std::vector<sql::ResultColumn>& columns) override {
    job_.stream.text().clear();
    writer_->Begin(columns, job_.stream.text());
  }
  bool Row(std::span<const sql::Cell> cells) override {
    writer_->Add(cells, job_.stream.text());
    status_ = job_.stream.Flush();
    job_.call.running->state()->progress.rows += 1;
    return status_.ok();
  }
  const Status& status() const { return status_; }

 private:
  Job& job_;
  const std::unique_ptr<ResultWriter> writer_;
  Status status_;
};

// The statement of an export, of which `text` has what was written.
std::string StatementOf(const Job& job) {
  if (job.pipe != job.text.npos) return job.text.substr(job.pipe + 1);
  std::string columns;
  for (const std::string& field : job.fields) {
    columns += (columns.empty() ? "" : ", ") + sql::QuoteName(field);
  }
  return "SELECT " + (columns.empty() ? "*" : columns);
}

Status RunStatement(Job& job, sql::RowSink& sink, const std::string& file) {
  const std::string statement = StatementOf(job);
  sql::Request request{.statement = statement,
                       .from = job.call.span.from,
                       .to = job.call.span.to,
                       .limits = job.call.limits,
                       .parquet_file = file};
  request.limits.time = kStatementTimeMax;
  sql::Outcome outcome;
  sql::Problem failed;
  if (!job.api.sql.Run(*job.call.snapshot, *job.call.query, request, sink, outcome, failed)) {
    if (failed.position && job.pipe != job.text.npos) {
      job.problem.position =
          CharacterAt(job.text, std::min(job.pipe + 1 + *failed.position, job.text.size()));
    }
    return StatementError(failed.status);
  }
  AddReason(job.partial, outcome.partial);
  return OkStatus();
}

Status ExportStatement(Job& job) {
  StreamSink sink(job, job.format->name == "csv" ? NewCsvResult() : NewJsonResult());
  RETURN_IF_ERROR(RunStatement(job, sink, ""));
  return sink.status();
}

// A file that goes when its export ends, however it ends.
class TemporaryFile {
 public:
  TemporaryFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~TemporaryFile() { files_.Remove(path_).IgnoreError(); }
  const std::string& path() const { return path_; }

 private:
  FileSystem& files_;
  const std::string path_;
};

Status SendFile(Job& job, const std::string& path) {
  ASSIGN_OR_RETURN(const auto file, job.api.env.files().OpenForRead(path));
  std::string& text = job.stream.text();
  for (uint64_t offset = 0;;) {
    const size_t begin = text.size();
    text.resize(begin + kFilePieceBytes);
    ASSIGN_OR_RETURN(const size_t size, file->ReadAt(offset, text.data() + begin, kFilePieceBytes));
    text.resize(begin + size);
    if (size == 0) return OkStatus();
    offset += size;
    RETURN_IF_ERROR(job.stream.Flush());
  }
}

// Nobody takes rows: the statement writes a file.
class NoSink final : public sql::RowSink {
 public:
  void Start(const std::vector<sql::ResultColumn>&) override {}
  bool Row(std::span<const sql::Cell>) override { return true; }
};

// DuckDB writes the file's directory last, so the whole has to be on disk first.
Status ExportParquet(Job& job) {
  RETURN_IF_ERROR(job.api.sql.Available());
  FileSystem& files = job.api.env.files();
  const std::string dir = job.api.config.ExportDir();
  RETURN_IF_ERROR(files.MakeDirs(dir, 0700));
  ASSIGN_OR_RETURN(const DiskSpace space, files.Space(dir));
  if (space.free < job.api.config.store.disk_free_min) {
    return UnavailableError("there is no room on disk for the file; jsonl and csv need none");
  }
  const TemporaryFile file(
      files, JoinPath(dir, fmt::format("{:016x}.parquet", job.api.env.random().Next())));
  NoSink sink;
  RETURN_IF_ERROR(RunStatement(job, sink, file.path()));
  return SendFile(job, file.path());
}

Status RunExport(Api& api, const net::HttpRequest& request, const Answer& answer,
                 ExportStream& stream, const Format* format, Problem& problem) {
  const std::string text = QueryText(request);
  const size_t pipe = sql::FindPipe(text);
  Job job{api, {}, text, pipe, format, {}, stream, problem};
  const std::string order = request.QueryParam("order").value_or("newest");
  if (order != "newest" && order != "any") {
    return InvalidArgumentError("\"order\" must be newest or any, not \"" + order + "\"");
  }
  job.ordered = order == "newest";
  ASSIGN_OR_RETURN(job.fields, FieldsOf(request));
  if (pipe != text.npos && !job.fields.empty()) {
    return InvalidArgumentError("\"fields\" is for searches; a statement names its own columns");
  }
  RETURN_IF_ERROR(
      PrepareCall(api, request, answer, std::string_view(text).substr(0, pipe), job.call, problem));
  Status status = format->name == "parquet" ? ExportParquet(job)
                  : pipe == text.npos       ? ExportRows(job)
                                            : ExportStatement(job);
  if (!job.partial.empty()) LOG(kWarning, "an export is not whole: {}", job.partial);
  job.call.running->End(job.partial, std::string(status.message()));
  return status;
}

void Export(Api& api, const net::HttpRequest& request, const Answer& answer) {
  const Result<const Format*> format = FormatOf(request);
  if (!format.ok()) return answer->Send(Refusal(format.status()));
  ExportStream stream(answer, (*format)->content_type, FileName(api, request, (*format)->name));
  Problem problem;
  Status status = RunExport(api, request, answer, stream, *format, problem);
  if (status.ok()) status = stream.Finish();
  if (status.ok()) return;
  if (stream.started()) {
    // The answer is cut off, so that its reader does not take it for whole.
    if (status.code() != Code::kCancelled) LOG(kWarning, "an export failed: {}", status.message());
    return;
  }
  problem.status = std::move(status);
  answer->Send(ProblemResponse(problem));
}

}  // namespace

void AddExportRoutes(net::Router& router, Api& api) {
  const std::string path = "/api/v1/projects/{project}/logstores/{logstore}/export";
  AddRoute(router, api, "GET", path, Access::kView,
           [](Api& a, net::HttpRequest request, const Answer& answer) {
             Answer moved = answer;
             if (a.export_pool->Submit(request, moved)) return;
             answer->Send(Refusal(UnavailableError("too many exports run; try again later")));
           });
  AddRoute(api.export_router, api, "GET", path, Access::kAnyone, Export);
}

}  // namespace kelp::server
