// `kelp tap`: rows of one pipeline as they pass through an agent.
#include <fmt/format.h>

#include "json_slice.h"
#include "remote.h"
#include "row.h"
#include "sse.h"

namespace kelp::cli {
namespace {

int Tap(const Arguments& arguments, const Context& context) {
  const Result<Remote> remote = ResolveAgent(arguments, context);
  if (!remote.ok()) return context.Fail(kExitUsage, remote.status().message());
  const Result<size_t> rate = CountParameter(arguments, "rate");
  if (!rate.ok()) return context.Fail(kExitUsage, rate.status().message());
  const Result<size_t> limit = CountParameter(arguments, "limit");
  if (!limit.ok()) return context.Fail(kExitUsage, limit.status().message());

  RowWriter writer(ParseRowFormat(arguments.Get("output")), SplitList(arguments.Get("fields")),
                   context.out);
  size_t shown = 0;
  SseParser parser([&](const SseEvent& event) {
    if (event.name == "dropped") {
      const auto rows = Member(event.data, "rows");
      context.out.Err(
          fmt::format("kelp: {} rows passed unseen (see --rate)\n", rows ? *rows : "some"));
    }
    if (event.name != "row" || (*limit != 0 && shown >= *limit)) return;
    const Result<Row> row = ParseRow(event.data);
    if (!row.ok()) {
      context.out.Err(fmt::format("kelp: {}\n", row.status().message()));
      return;
    }
    writer.Write(*row);
    context.out.Flush();
    ++shown;
  });
  RemoteClient client(*remote, "");
  const std::string target = "/api/v1/tap" + QueryString({{"pipeline", arguments.positional()[0]},
                                                          {"rate", std::to_string(*rate)}});
  const Status status = client.Stream(target, [&](std::string_view chunk) {
    parser.Feed(chunk);
    return *limit == 0 || shown < *limit;
  });
  return status.ok() ? kExitOk : context.Fail(status);
}

}  // namespace

Command TapCommand() {
  return {
      .name = "tap",
      .positional = "PIPELINE",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "shows rows of a pipeline live, as they leave its processors",
      .doc =
          "Asks an agent for a sample of what its pipeline handles now, at a bounded rate: the\n"
          "pipeline itself is not slowed down. Ends with Ctrl-C, after --limit rows, or when the "
          "agent\nstops.",
      .options = {{.name = "rate",
                   .value = "ROWS",
                   .doc = "At most so many rows a second.",
                   .fallback = "20"},
                  {.name = "limit",
                   .letter = 'n',
                   .value = "ROWS",
                   .doc = "Ends after so many rows. 0: never.",
                   .fallback = "0"},
                  {.name = "output",
                   .letter = 'o',
                   .value = "FORMAT",
                   .doc = "How rows are shown.",
                   .fallback = "table",
                   .choices = kRowFormats},
                  {.name = "fields",
                   .letter = 'F',
                   .value = "A,B",
                   .doc = "Show these as columns of the table."},
                  AgentOption()},
      .examples = {{"kelp tap web -F status,path", "two fields of the pipeline \"web\""},
                   {"kelp tap web -o json -n 5", "five rows with everything they carry"}},
      .run = Tap,
  };
}

}  // namespace kelp::cli
