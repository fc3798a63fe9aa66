// `kelp agents ledger`: what became of every row that an agent read.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/units.h"
#include "json_slice.h"
#include "remote.h"
#include "row.h"

namespace kelp::cli {
namespace {

const std::vector<std::string> kSortKeys = {"name", "read",     "unread",   "dropped",
                                            "lost", "filtered", "in-flight"};

// One line of the table.
struct LedgerLine {
  std::string pipeline;
  std::string name;
  uint64_t read = 0;
  uint64_t filtered = 0;
  uint64_t delivered = 0;
  uint64_t dropped = 0;
  uint64_t in_flight = 0;
  uint64_t returned = 0;
  uint64_t lost = 0;    // bytes
  uint64_t unread = 0;  // bytes
  bool adds_up = false;

  uint64_t Key(const std::string& sort) const {
    if (sort == "read") return read;
    if (sort == "unread") return unread;
    if (sort == "dropped") return dropped;
    if (sort == "lost") return lost;
    if (sort == "filtered") return filtered;
    return in_flight;
  }
  std::vector<std::string> Cells() const {
    std::vector<std::string> cells = {pipeline, name};
    for (const uint64_t n : {read, filtered, delivered, dropped, in_flight, returned}) {
      cells.push_back(std::to_string(n));
    }
    cells.push_back(FormatByteSize(ByteSize{lost}));
    cells.push_back(FormatByteSize(ByteSize{unread}));
    cells.emplace_back(adds_up ? "\u2713" : "DIFFERS");
    return cells;
  }
};

uint64_t Number(std::string_view object, std::string_view key) {
  uint64_t n = 0;
  const auto text = Member(object, key);
  if (text) std::from_chars(text->data(), text->data() + text->size(), n);
  return n;
}

std::string Text(std::string_view object, std::string_view key) {
  const auto value = Member(object, key);
  return value ? ValueText(*value) : std::string();
}

LedgerLine MakeLine(std::string_view figures, bool adds_up) {
  LedgerLine line;
  line.read = Number(figures, "read_rows");
  line.filtered = Number(figures, "filtered_rows");
  line.delivered = Number(figures, "delivered_rows");
  line.dropped = Number(figures, "dropped_rows");
  line.in_flight = Number(figures, "in_flight_rows");
  line.returned = Number(figures, "returned_rows");
  line.lost = Number(figures, "lost_bytes");
  line.adds_up = adds_up;
  return line;
}

LedgerLine ReadEntry(std::string_view entry) {
  LedgerLine line =
      MakeLine(Member(entry, "figures").value_or("{}"), Text(entry, "adds_up") == "true");
  line.pipeline = Text(entry, "pipeline");
  if (Member(entry, "ended_origins")) {
    line.name = fmt::format("({} ended)", Number(entry, "ended_origins"));
    return line;
  }
  line.name = Text(entry, "name");
  const uint64_t size = Number(entry, "size");
  line.unread = size - std::min(size, Number(entry, "position"));
  return line;
}

// What is worth a line below the table: "dropped: 3 refused, 1 too_large".
std::string ReasonsText(std::string_view totals) {
  std::string out;
  const std::pair<const char*, const char*> kinds[] = {
      {"filtered", "filtered rows"},
      {"dropped", "dropped rows"},
      {"dropped_later", "dropped after the spool had them"},
      {"lost_bytes_by_cause", "lost bytes"},
      {"lost_lines_by_cause", "lost lines"}};
  for (const auto& [key, label] : kinds) {
    std::string list;
    ForEachMember(Member(totals, key).value_or("{}"),
                  [&](std::string_view reason, std::string_view n) {
                    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", n, Harmless(reason));
                  });
    if (!list.empty()) out += fmt::format("{}: {}\n", label, list);
  }
  return out;
}

std::string LedgerTable(std::string_view body, bool adds_up, const std::string& sort) {
  std::vector<LedgerLine> lines;
  uint64_t unread = 0;
  ForEachItem(Member(body, "entries").value_or("[]"), [&](std::string_view entry) {
    lines.push_back(ReadEntry(entry));
    unread += lines.back().unread;
  });
  if (sort != "name") {
    std::stable_sort(lines.begin(), lines.end(), [&](const LedgerLine& a, const LedgerLine& b) {
      return a.Key(sort) > b.Key(sort);
    });
  }
  const std::string_view totals = Member(body, "totals").value_or("{}");
  LedgerLine total = MakeLine(totals, adds_up);
  total.pipeline = "total";
  total.unread = unread;
  std::vector<std::vector<std::string>> cells;
  for (const LedgerLine& line : lines) cells.push_back(line.Cells());
  cells.push_back(total.Cells());
  return PrintTable({"PIPELINE", "ORIGIN", "READ", "FILTERED", "DELIVERED", "DROPPED", "IN FLIGHT",
                     "RETURNED", "LOST", "UNREAD", "ADDS UP"},
                    cells) +
         ReasonsText(totals);
}

int Ledger(const Arguments& arguments, const Context& context) {
  const Result<Remote> remote = ResolveAgent(arguments, context);
  if (!remote.ok()) return context.Fail(kExitUsage, remote.status().message());
  RemoteClient client(*remote, "");
  const Result<std::string> body =
      client.Get("/api/v1/ledger" + QueryString({{"pipeline", arguments.Get("pipeline")}}));
  if (!body.ok()) return context.Fail(body.status());
  const auto adds_up = Member(*body, "adds_up");
  if (!adds_up) return context.Fail(DataLossError("the agent's answer is not a ledger"));
  const bool good = *adds_up == "true";
  context.out.Out(arguments.Has("json") ? *body : LedgerTable(*body, good, arguments.Get("sort")));
  if (!good) return context.Fail(kExitDiffers, "the ledger does not add up: this is a bug");
  return kExitOk;
}

}  // namespace

Command AgentsLedgerCommand() {
  return {
      .name = "agents ledger",
      .summary = "shows what became of every row that an agent read",
      .doc =
          "Asks an agent for its ledger since it started: for each origin the rows that were "
          "read,\n"
          "filtered, delivered (acknowledged by every required output), dropped (given up by an\n"
          "output), in flight, and returned (in flight when their pipeline was replaced, and read\n"
          "again). LOST are bytes that were never read, UNREAD those that wait. Exits with 1 when "
          "the\nfigures do not add up.",
      .options = {{.name = "pipeline", .value = "NAME", .doc = "Only this pipeline."},
                  {.name = "sort",
                   .value = "KEY",
                   .doc = "Order of the lines; figures come largest first.",
                   .fallback = "name",
                   .choices = kSortKeys},
                  {.name = "json", .doc = "What the agent answered, as JSON."},
                  AgentOption()},
      .examples = {{"kelp agents ledger --sort unread", "where most bytes wait"},
                   {"kelp agents ledger --pipeline web --json", "one pipeline, for a program"}},
      .run = Ledger,
  };
}

}  // namespace kelp::cli
