#include "logs.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "json_slice.h"
#include "query_options.h"
#include "sse.h"
#include "up.h"

namespace kelp::cli {
namespace {

constexpr size_t kPageRowsMax = 1000;  // what the API allows
// Rows that are put into order before they are shown are held in memory: about 100 MB at most.
constexpr size_t kSortedRowsMax = 100'000;
// Rows arrive a little after the time they carry.
constexpr Duration kArrivalSlack = 30s;
constexpr Duration kRetryPauseMax = 10s;

}  // namespace

bool RecentRows::Add(const Row& row) {
  const std::string& key = row.position.empty() ? row.json : row.position;
  if (!known_.insert(key).second) return false;
  order_.push_back(key);
  if (order_.size() > kRemembered) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

std::string LogSearch::Base() const {
  return fmt::format("/api/v1/projects/{}/logstores/{}", net::UrlEncode(request_.project),
                     net::UrlEncode(request_.logstore));
}

Result<LogSearch::Page> LogSearch::GetPage(const std::string& cursor, size_t limit) {
  const std::string target = Base() + "/search" +
                             QueryString({{"q", request_.query},
                                          {"from", request_.from},
                                          {"to", request_.to},
                                          {"limit", std::to_string(limit)},
                                          {"cursor", cursor}});
  ASSIGN_OR_RETURN(const std::string body, client_.Get(target, request_.query));
  Page page;
  Status bad;
  const auto rows = Member(body, "rows");
  const bool good = rows && ForEachItem(*rows, [&](std::string_view item) {
                      Result<Row> row = ParseRow(item);
                      if (row.ok()) {
                        page.rows.push_back(std::move(row).value());
                      } else {
                        bad = row.status();
                      }
                    });
  RETURN_IF_ERROR(bad);
  if (!good) return DataLossError("the server's answer is not a search result");
  const auto text = [&](const char* key) {
    const auto value = Member(body, key);
    return value && *value != "null" ? ValueText(*value) : std::string();
  };
  page.cursor = text("cursor");
  page.partial = text("partial");
  return page;
}

Status LogSearch::ForEach(const std::function<void(Row row)>& fn) {
  partial_.clear();
  std::string cursor;
  for (size_t left = request_.rows_max; left > 0;) {
    ASSIGN_OR_RETURN(Page page, GetPage(cursor, std::min(left, kPageRowsMax)));
    for (Row& row : page.rows) fn(std::move(row));
    left -= std::min(left, page.rows.size());
    partial_ = page.partial;
    if (page.cursor.empty() || page.cursor == cursor || page.rows.empty()) break;
    cursor = page.cursor;
  }
  return OkStatus();
}

Result<std::vector<Row>> LogSearch::Newest() {
  std::vector<Row> rows;
  RETURN_IF_ERROR(ForEach([&](Row row) { rows.push_back(std::move(row)); }));
  std::reverse(rows.begin(), rows.end());
  return rows;
}

Status LogSearch::CatchUp(Duration age, const std::function<void(const Row& row)>& fn) {
  LogsRequest request = request_;
  request.from = "-" + FormatDuration(std::chrono::ceil<std::chrono::seconds>(age + kArrivalSlack));
  request.to.clear();
  request.rows_max = kPageRowsMax;
  LogSearch search(client_, clock_, std::move(request));
  ASSIGN_OR_RETURN(const std::vector<Row> rows, search.Newest());
  for (const Row& row : rows) fn(row);
  return OkStatus();
}

Status LogSearch::Follow(const std::function<bool(const Row& row)>& fn,
                         const std::function<void(const std::string& text)>& note) {
  RecentRows recent;
  bool wanted = true;
  const auto show = [&](const Row& row) {
    if (wanted && recent.Add(row)) wanted = fn(row);
  };
  Duration heard = clock_.Monotonic();
  ASSIGN_OR_RETURN(const std::vector<Row> newest, Newest());
  for (const Row& row : newest) show(row);
  // Catching up must not bring what is older than the rows that were asked for. Times are all UTC
  // with nine digits, so they compare as text.
  std::string floor;
  if (!newest.empty()) floor = newest.back().time;
  if (request_.rows_max == 0) floor = FormatRfc3339(clock_.Now());
  const auto show_if_new = [&](const Row& row) {
    if (row.time >= floor) show(row);
  };
  SseParser parser([&](const SseEvent& event) {
    if (event.name == "row") {
      const Result<Row> row = ParseRow(event.data);
      row.ok() ? show(*row) : note(std::string(row.status().message()));
    } else if (event.name == "dropped") {
      const auto rows = Member(event.data, "rows");
      note(
          fmt::format("{} rows came faster than they could be shown and were left out; a search "
                      "finds them",
                      rows ? *rows : "some"));
    }
  });
  Duration pause = 1s;
  while (wanted) {
    bool open = false;
    const auto on_chunk = [&](std::string_view chunk) {
      if (!open) {
        open = true;
        pause = 1s;
        const Status status = CatchUp(clock_.Monotonic() - heard, show_if_new);
        if (!status.ok()) note(std::string(status.message()));
      }
      heard = clock_.Monotonic();
      parser.Feed(chunk);
      return wanted;
    };
    const Status status = client_.Stream(Base() + "/tail" + QueryString({{"q", request_.query}}),
                                         on_chunk, request_.query);
    if (!wanted) break;
    if (!status.ok() && !status.retryable()) return status;
    note(fmt::format("the stream ended{}{}; trying again", status.ok() ? "" : ": ",
                     status.message()));
    std::this_thread::sleep_for(pause);
    pause = std::min<Duration>(pause * 2, kRetryPauseMax);
  }
  return OkStatus();
}

namespace {

Result<size_t> RowsParameter(const Arguments& arguments) {
  const bool follow = arguments.Has("follow");
  const std::string text = arguments.Has("limit") ? arguments.Get("limit") : follow ? "10" : "100";
  ASSIGN_OR_RETURN(const size_t rows, ParseCount(text, "limit"));
  if (rows > kSortedRowsMax && !arguments.Has("newest-first")) {
    return InvalidArgumentError(fmt::format(
        "more than {} rows can only come newest first: add --newest-first", kSortedRowsMax));
  }
  return rows;
}

Result<LogsRequest> MakeRequest(const Arguments& arguments) {
  LogsRequest request;
  request.query = arguments.positional().empty() ? "*" : arguments.positional()[0];
  request.project = arguments.Get("project");
  request.logstore = arguments.Get("logstore");
  ASSIGN_OR_RETURN(request.from, TimeParameter(arguments.Get("since"), "since"));
  ASSIGN_OR_RETURN(request.to, TimeParameter(arguments.Get("until"), "until"));
  ASSIGN_OR_RETURN(request.rows_max, RowsParameter(arguments));
  if (arguments.Has("follow") && arguments.Has("until")) {
    return InvalidArgumentError("--follow has no end: leave --until out");
  }
  return request;
}

Status RunSearch(const Arguments& arguments, LogSearch& search, RowWriter& writer,
                 const Context& context) {
  if (arguments.Has("follow")) {
    return search.Follow(
        [&](const Row& row) {
          writer.Write(row);
          context.out.Flush();
          return true;
        },
        [&](const std::string& text) { context.out.Err("kelp: " + text + "\n"); });
  }
  if (arguments.Has("newest-first")) {
    return search.ForEach([&](const Row& row) { writer.Write(row); });
  }
  ASSIGN_OR_RETURN(const std::vector<Row> rows, search.Newest());
  for (const Row& row : rows) writer.Write(row);
  return OkStatus();
}

int Logs(const Arguments& arguments, const Context& context) {
  const Result<LogsRequest> request = MakeRequest(arguments);
  if (!request.ok()) return context.Fail(kExitUsage, request.status().message());
  const Result<Remote> remote = ResolveServer(arguments, context);
  if (!remote.ok()) return context.Fail(kExitUsage, remote.status().message());
  RemoteClient client(remote.value(), arguments.Get("ca-file"));
  LogSearch search(client, context.env.clock(), request.value());
  RowWriter writer(ParseRowFormat(arguments.Get("output")), SplitList(arguments.Get("fields")),
                   context.out);
  const Status status = RunSearch(arguments, search, writer, context);
  if (!status.ok()) return context.Fail(status);
  if (!search.partial().empty()) {
    context.out.Err("kelp: the result is not complete: " + search.partial() + "\n");
  }
  return kExitOk;
}

}  // namespace

Command LogsCommand() {
  std::vector<OptionSpec> options = {
      {.name = "since",
       .value = "TIME",
       .doc = "Rows from then on: a duration before now, or a time.",
       .fallback = "1h"},
      {.name = "until", .value = "TIME", .doc = "Rows before then. Without it: up to now."},
      {.name = "follow", .letter = 'f', .doc = "Goes on with new rows as they come."},
      {.name = "output",
       .letter = 'o',
       .value = "FORMAT",
       .doc = "How rows are shown.",
       .fallback = "table",
       .choices = kRowFormats},
      {.name = "limit",
       .letter = 'n',
       .value = "ROWS",
       .doc = "At most so many rows, the newest. Default: 100, or 10 with --follow."},
      {.name = "fields",
       .letter = 'F',
       .value = "A,B",
       .doc = "Show these as columns of the table."},
      {.name = "newest-first", .doc = "The newest row first, without a bound on --limit."},
      {.name = "project", .value = "NAME", .doc = "The project.", .fallback = kProjectDefault},
      {.name = "logstore", .value = "NAME", .doc = "The logstore.", .fallback = kLogstoreDefault},
  };
  for (OptionSpec& option : ServerOptions()) options.push_back(std::move(option));
  return {
      .name = "logs",
      .positional = "[QUERY]",
      .positional_max = 1,
      .summary = "searches logs, and follows them",
      .doc =
          "Shows the newest rows that match, the oldest of them first. A query is words, "
          "\"phrases\",\nfield:value, comparisons, /regex/, AND, OR, NOT and parentheses; without "
          "one, all rows\nmatch. In a table, control characters are shown as \\xNN; raw prints "
          "bodies as they are.",
      .options = std::move(options),
      .examples = {{"kelp logs 'level:error' --since 15m", "errors of the last quarter of an hour"},
                   {"kelp logs -f 'k8s.pod.name:web*'", "what the web pods write, live"},
                   {"kelp logs 'status:>=500' -F status,path -n 20", "two fields as columns"},
                   {"kelp logs '*' -o json --newest-first -n 1000000 > rows.json", "an export"}},
      .run = Logs,
  };
}

}  // namespace kelp::cli
