// kelp analyze ...: fields, patterns and context of what a search finds, and how it was found.
#include <fmt/format.h>

#include "json_slice.h"
#include "query_options.h"
#include "row.h"

namespace kelp::cli {
namespace {

const std::vector<std::string> kFormats = {"table", "json"};
constexpr size_t kTopShown = 3;

OptionSpec OutputOption() {
  return {.name = "output",
          .letter = 'o',
          .value = "FORMAT",
          .doc = "How it is shown; json is the server's answer.",
          .fallback = "table",
          .choices = kFormats};
}

std::vector<OptionSpec> With(std::vector<OptionSpec> own, const std::string& since) {
  own.push_back(OutputOption());
  for (OptionSpec& option : QueryOptions(since)) own.push_back(std::move(option));
  return own;
}

std::string TextOf(std::string_view object, std::string_view key) {
  const auto value = Member(object, key);
  return value && *value != "null" ? ValueText(*value) : std::string();
}

// "0.4213" as "42.1 %".
std::string Percent(const std::string& share) {
  return share.empty() ? "" : fmt::format("{:.1f} %", 100 * std::strtod(share.c_str(), nullptr));
}

int Run(const Arguments& arguments, const Context& context, const std::string& what,
        std::vector<std::pair<std::string, std::string>> parameters,
        const std::function<std::string(std::string_view)>& print) {
  const Result<QueryCall> call = MakeCall(arguments);
  if (!call.ok()) return context.Fail(kExitUsage, call.status().message());
  return PrintAnswer(arguments, context, *call, call->Target(what, std::move(parameters)), print);
}

std::string TopValues(std::string_view field) {
  std::string out;
  size_t shown = 0;
  ForEachItem(Member(field, "top").value_or("[]"), [&](std::string_view value) {
    if (shown++ >= kTopShown) return;
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", TextOf(value, "value"),
                       TextOf(value, "rows"));
  });
  return out;
}

std::string FieldsTable(std::string_view body) {
  std::vector<std::vector<std::string>> rows;
  ForEachItem(Member(body, "fields").value_or("[]"), [&](std::string_view field) {
    const bool exact = Member(field, "distinct_exact") == "true";
    rows.push_back({TextOf(field, "name"), TextOf(field, "kind"),
                    Percent(TextOf(field, "coverage")),
                    (exact ? "" : "~") + TextOf(field, "distinct"), TopValues(field)});
  });
  return fmt::format("{} rows{}\n", TextOf(body, "rows"),
                     Member(body, "sampled") == "true" ? ", the newest" : "") +
         PrintTable({"FIELD", "KIND", "COVERAGE", "VALUES", "TOP"}, rows);
}

std::string ValuesTable(std::string_view body) {
  std::vector<std::vector<std::string>> rows;
  ForEachItem(Member(body, "top").value_or("[]"), [&](std::string_view value) {
    rows.push_back({TextOf(value, "rows"), TextOf(value, "value")});
  });
  std::string out;
  if (const auto numbers = Member(body, "numbers"); numbers && *numbers != "null") {
    for (const char* key : {"min", "mean", "p50", "p90", "p99", "max"}) {
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", key, TextOf(*numbers, key));
    }
    out += "\n";
  }
  return out + PrintTable({"ROWS", "VALUE"}, rows);
}

int Fields(const Arguments& arguments, const Context& context) {
  const std::string field = arguments.Get("field");
  if (field.empty()) {
    return Run(arguments, context, "fields", {{"rows", arguments.Get("rows")}}, FieldsTable);
  }
  return Run(arguments, context, "fields/" + net::UrlEncode(field),
             {{"rows", arguments.Get("rows")}, {"top", arguments.Get("top")}}, ValuesTable);
}

std::string PatternsTable(std::string_view body) {
  std::vector<std::vector<std::string>> rows;
  const bool compares = Member(body, "compared") != "null";
  ForEachItem(Member(body, "patterns").value_or("[]"), [&](std::string_view pattern) {
    const std::string before = TextOf(pattern, "before");
    std::string change = TextOf(pattern, "change");
    if (change.empty() && compares) change = before == "0" ? "new" : "gone";
    rows.push_back({TextOf(pattern, "rows"), Percent(TextOf(pattern, "share")), change,
                    TextOf(pattern, "template")});
  });
  return PrintTable({"ROWS", "SHARE", compares ? "CHANGE" : "", "PATTERN"}, rows);
}

int Patterns(const Arguments& arguments, const Context& context) {
  const auto since = TimeParameter(arguments.Get("compare-since"), "compare-since");
  if (!since.ok()) return context.Fail(kExitUsage, since.status().message());
  const auto until = TimeParameter(arguments.Get("compare-until"), "compare-until");
  if (!until.ok()) return context.Fail(kExitUsage, until.status().message());
  return Run(arguments, context, "patterns",
             {{"limit", arguments.Get("limit")},
              {"compare_from", *since},
              {"compare_to", since->empty() || !until->empty() ? *until : "now"}},
             PatternsTable);
}

int ShowContext(const Arguments& arguments, const Context& context) {
  for (const char* needed : {"origin", "offset", "time"}) {
    if (arguments.Has(needed)) continue;
    return context.Fail(kExitUsage, fmt::format("--{} is missing; kelp logs -o json shows it of "
                                                "each row",
                                                needed));
  }
  const std::string lines = arguments.Get("lines");
  return Run(arguments, context, "context",
             {{"origin", arguments.Get("origin")},
              {"offset", arguments.Get("offset")},
              {"time", arguments.Get("time")},
              {"before", lines},
              {"after", lines}},
             [](std::string_view body) {
               std::string out;
               const std::string at = TextOf(body, "at");
               size_t index = 0;
               ForEachItem(Member(body, "rows").value_or("[]"), [&](std::string_view item) {
                 const bool here = std::to_string(index++) == at;
                 out += fmt::format("{} {}  {}\n", here ? '>' : ' ', TextOf(item, "time"),
                                    Harmless(TextOf(item, "body")));
               });
               return out;
             });
}

std::string ExplainText(std::string_view body) {
  std::string out = fmt::format("{}\n\n", Harmless(TextOf(body, "plan")));
  std::vector<std::vector<std::string>> rows;
  ForEachMember(
      Member(body, "fates").value_or("{}"), [&](std::string_view fate, std::string_view value) {
        rows.push_back({std::string(fate), TextOf(value, "blocks"), TextOf(value, "rows")});
      });
  out += PrintTable({"BLOCKS", "COUNT", "ROWS"}, rows) + "\n";
  rows.clear();
  ForEachItem(Member(body, "terms").value_or("[]"), [&](std::string_view term) {
    rows.push_back({TextOf(term, "term"), TextOf(term, "ruled_out"), TextOf(term, "settled")});
  });
  if (!rows.empty()) out += PrintTable({"TERM", "RULED OUT", "SETTLED"}, rows) + "\n";
  rows.clear();
  ForEachMember(Member(body, "cpu_ms").value_or("{}"),
                [&](std::string_view stage, std::string_view value) {
                  rows.push_back({std::string(stage), std::string(value)});
                });
  return out + PrintTable({"STAGE", "CPU MS"}, rows);
}

int Explain(const Arguments& arguments, const Context& context) {
  return Run(arguments, context, "explain", {{"limit", arguments.Get("limit")}}, ExplainText);
}

}  // namespace

Command AnalyzeFieldsCommand() {
  return {
      .name = "analyze fields",
      .positional = "[QUERY]",
      .positional_max = 1,
      .summary = "lists fields with their coverage and values",
      .doc = "Looks at the newest rows that match. With --field, shows the values of that one.",
      .options = With({{.name = "field", .letter = 'F', .value = "NAME", .doc = "Only this one."},
                       {.name = "top",
                        .letter = 'n',
                        .value = "VALUES",
                        .doc = "With --field: so many values.",
                        .fallback = "100"},
                       {.name = "rows",
                        .value = "ROWS",
                        .doc = "Look at so many rows.",
                        .fallback = "1000000"}},
                      "1h"),
      .examples = {{"kelp analyze fields 'level:error'", "which fields errors have"},
                   {"kelp analyze fields -F status --since 1d", "the values of one field"}},
      .run = Fields,
  };
}

Command AnalyzePatternsCommand() {
  return {
      .name = "analyze patterns",
      .positional = "[QUERY]",
      .positional_max = 1,
      .summary = "groups lines that are alike",
      .doc =
          "Shows what the bodies of matching rows have in common, the most frequent first. With\n"
          "--compare-since, also how each changed since that span of time.",
      .options = With(
          {{.name = "compare-since", .value = "TIME", .doc = "Begin of the span to compare with."},
           {.name = "compare-until", .value = "TIME", .doc = "Its end. Without it: now."},
           {.name = "limit",
            .letter = 'n',
            .value = "PATTERNS",
            .doc = "At most so many.",
            .fallback = "50"}},
          "1h"),
      .examples = {{"kelp analyze patterns 'level:error'", "kinds of errors"},
                   {"kelp analyze patterns --since 15m --compare-since 1d --compare-until 15m",
                    "what is new in the last quarter of an hour"}},
      .run = Patterns,
  };
}

Command AnalyzeContextCommand() {
  return {
      .name = "analyze context",
      .summary = "shows the rows around a row",
      .doc =
          "Rows of the same origin before and after a row, as they were written. The row is named\n"
          "by its origin and time, which kelp logs -o json shows.",
      .options = With({{.name = "origin", .value = "HEX", .doc = "The row's origin.id."},
                       {.name = "offset", .value = "BYTES", .doc = "The row's origin.offset."},
                       {.name = "time", .value = "TIME", .doc = "The row's time."},
                       {.name = "lines",
                        .letter = 'n',
                        .value = "ROWS",
                        .doc = "So many before it, and after it.",
                        .fallback = "20"}},
                      ""),
      .examples = {{"kelp analyze context --origin 4bf92f3577b34da6a3ce929d0e0e4736 --offset 8192 "
                    "--time 2026-11-20T23:49:26.304Z",
                    "what stood around it"}},
      .run = ShowContext,
  };
}

Command AnalyzeExplainCommand() {
  return {
      .name = "analyze explain",
      .positional = "QUERY",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "shows what a search skipped, and why",
      .doc = "Runs the search and says what became of each block (docs/formats/query.md, Explain).",
      .options = With({{.name = "limit",
                        .letter = 'n',
                        .value = "ROWS",
                        .doc = "Rows that the search asks for.",
                        .fallback = "100"}},
                      "1h"),
      .examples = {{"kelp analyze explain 'level:error timeout' --since 1d",
                    "is it fast, and why"}},
      .run = Explain,
  };
}

}  // namespace kelp::cli
