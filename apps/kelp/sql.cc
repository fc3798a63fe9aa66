// kelp sql: a statement's result as a table, JSON or CSV.
#include <fmt/format.h>

#include <algorithm>

#include "json_slice.h"
#include "query_options.h"
#include "row.h"

namespace kelp::cli {
namespace {

const std::vector<std::string> kFormats = {"table", "json", "jsonl", "csv"};

// A statement alone is about every row.
std::string WithSearch(const std::string& query) {
  std::string begin = query.substr(0, 6);
  std::transform(begin.begin(), begin.end(), begin.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return begin == "select" || begin.starts_with("with ") ? "* | " + query : query;
}

std::vector<std::string> ColumnNames(std::string_view body) {
  std::vector<std::string> names;
  ForEachItem(Member(body, "columns").value_or("[]"), [&](std::string_view column) {
    names.push_back(ValueText(Member(column, "name").value_or("\"\"")));
  });
  return names;
}

void ForEachRow(std::string_view body,
                const std::function<void(const std::vector<std::string_view>&)>& fn) {
  ForEachItem(Member(body, "rows").value_or("[]"), [&](std::string_view row) {
    std::vector<std::string_view> cells;
    ForEachItem(row, [&](std::string_view cell) { cells.push_back(cell); });
    fn(cells);
  });
}

std::string Table(std::string_view body) {
  std::vector<std::vector<std::string>> rows;
  ForEachRow(body, [&](const std::vector<std::string_view>& cells) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::string_view cell : cells) row.push_back(cell == "null" ? "" : ValueText(cell));
  });
  return PrintTable(ColumnNames(body), rows);
}

std::string JsonLines(std::string_view body) {
  // The names as they are written, quotes and all.
  std::vector<std::string> keys;
  ForEachItem(Member(body, "columns").value_or("[]"), [&](std::string_view column) {
    keys.emplace_back(Member(column, "name").value_or("\"\""));
  });
  std::string out;
  ForEachRow(body, [&](const std::vector<std::string_view>& cells) {
    out += '{';
    for (size_t i = 0; i < cells.size() && i < keys.size(); ++i) {
      out += fmt::format("{}{}:{}", i == 0 ? "" : ",", keys[i], cells[i]);
    }
    out += "}\n";
  });
  return out;
}

std::string CsvCell(std::string_view text) {
  if (!text.empty() && text.find_first_of("\",\r\n") == text.npos && text.front() != ' ' &&
      text.back() != ' ') {
    return std::string(text);
  }
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string Csv(std::string_view body) {
  std::string out;
  for (const std::string& name : ColumnNames(body)) {
    out += (out.empty() ? "" : ",") + CsvCell(name);
  }
  out += '\n';
  ForEachRow(body, [&](const std::vector<std::string_view>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += ',';
      if (cells[i] != "null") out += CsvCell(ValueText(cells[i]));
    }
    out += '\n';
  });
  return out;
}

int Sql(const Arguments& arguments, const Context& context) {
  Result<QueryCall> call = MakeCall(arguments);
  if (!call.ok()) return context.Fail(kExitUsage, call.status().message());
  call->query = WithSearch(call->query);
  const std::string format = arguments.Get("output");
  return PrintAnswer(
      arguments, context, *call, call->Target("sql", {{"limit", arguments.Get("limit")}}),
      [&](std::string_view body) {
        if (Member(body, "more") == "true") {
          context.out.Err("kelp: there are more rows: raise --limit, or use kelp export\n");
        }
        if (format == "jsonl") return JsonLines(body);
        return format == "csv" ? Csv(body) : Table(body);
      });
}

}  // namespace

Command SqlCommand() {
  std::vector<OptionSpec> options = {
      {.name = "output",
       .letter = 'o',
       .value = "FORMAT",
       .doc = "How the result is shown.",
       .fallback = "table",
       .choices = kFormats},
      {.name = "limit",
       .letter = 'n',
       .value = "ROWS",
       .doc = "At most so many rows, up to 10000.",
       .fallback = "1000"},
  };
  for (OptionSpec& option : QueryOptions("1h")) options.push_back(std::move(option));
  return {
      .name = "sql",
      .positional = "QUERY",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "runs SQL or pipes over what a search finds",
      .doc =
          "Shows the result of SEARCH | SELECT ..., or of SEARCH | PIPE | PIPE; a SELECT alone is\n"
          "about every row. The guide is docs/guides/sql.md.",
      .options = std::move(options),
      .examples = {{"kelp sql 'level:error | SELECT pod, count(*) GROUP BY 1 ORDER BY 2 DESC'",
                    "errors of each pod"},
                   {"kelp sql '* | timechart 1m by level' --since 15m -o csv", "a chart as CSV"}},
      .run = Sql,
  };
}

}  // namespace kelp::cli
