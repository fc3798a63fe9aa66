// `kelp checkpoints`: where reading goes on, listed and changed.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "command.h"
#include "config/node.h"
#include "json_slice.h"
#include "remote.h"
#include "row.h"
#include "tail/checkpoint_tool.h"

namespace kelp::cli {
namespace {

constexpr const char* kDataDirDefault = "/var/lib/kelp-agent";

OptionSpec DataDirOption() {
  return {.name = "data-dir",
          .value = "DIR",
          .doc = "The agent's data_dir.",
          .fallback = kDataDirDefault};
}

std::string Database(const Arguments& arguments) {
  return JoinPath(arguments.Get("data-dir"), "checkpoints.db");
}

// While it lives no agent can start on this data directory. Errors: kUnavailable when one runs.
Result<std::unique_ptr<FileLock>> LockDataDir(const Arguments& arguments, const Context& context) {
  const std::string dir = arguments.Get("data-dir");
  auto lock = context.env.files().Lock(JoinPath(dir, "agent.lock"));
  if (lock.ok() || lock.status().code() != Code::kAlreadyExists) return lock;
  return UnavailableError("an agent runs with the data_dir " + dir +
                          ": stop it first, for it would write its own positions again");
}

// The ledger of the agent that runs with this data directory.
Result<std::string> AskAgent(const Arguments& arguments, const Context& context) {
  const std::string dir = arguments.Get("data-dir");
  ASSIGN_OR_RETURN(const Remote remote, ResolveAgent(arguments, context));
  RemoteClient client(remote, "");
  ASSIGN_OR_RETURN(const std::string status, client.Get("/api/v1/status"));
  const auto its = Member(status, "data_dir");
  if (!its || ValueText(*its) != dir) {
    return UnavailableError("an agent runs with the data_dir " + dir + ", but the one at " +
                            remote.url + " has another; name its address with --agent");
  }
  return client.Get("/api/v1/ledger");
}

std::string PrintLedger(std::string_view ledger) {
  std::vector<std::vector<std::string>> rows;
  ForEachItem(Member(ledger, "entries").value_or("[]"), [&](std::string_view entry) {
    const auto text = [&](std::string_view key) {
      const auto value = Member(entry, key);
      return value ? Harmless(ValueText(*value)) : std::string();
    };
    if (text("name").empty()) return;  // the sum of those that ended
    rows.push_back(
        {text("pipeline"), text("origin"), text("acknowledged"), text("size"), text("name")});
  });
  return PrintTable({"PIPELINE", "ORIGIN", "OFFSET", "SIZE", "PATH"}, rows);
}

std::string JsonLedger(std::string_view ledger) {
  std::string out;
  ForEachItem(Member(ledger, "entries").value_or("[]"), [&](std::string_view entry) {
    const auto raw = [&](std::string_view key) { return Member(entry, key).value_or("null"); };
    if (!Member(entry, "name")) return;
    out +=
        fmt::format("{{\"pipeline\":{},\"origin\":{},\"path\":{},\"offset\":{},\"size\":{}}}\n",
                    raw("pipeline"), raw("origin"), raw("name"), raw("acknowledged"), raw("size"));
  });
  return out;
}

// Beside a running agent, which keeps its database to itself.
int ListOfAgent(const Arguments& arguments, const Context& context) {
  const auto ledger = AskAgent(arguments, context);
  if (!ledger.ok()) return context.Fail(ledger.status());
  context.out.Out(arguments.Has("json") ? JsonLedger(*ledger) : PrintLedger(*ledger));
  return kExitOk;
}

// The size of what a checkpoint's path names now, else that which was seen last, for people; "-"
// when neither is to be had.
std::string SizeText(const tail::Checkpoint& c, Env& env) {
  if (c.vanished == kNoTime && c.packing == tail::Packing::kNone) {
    const auto info = env.files().Stat(c.path);
    if (info.ok()) return std::to_string(info->size);
  }
  return c.seen > 0 ? std::to_string(c.seen) : "-";
}

std::string PrintCheckpoints(const std::vector<tail::Checkpoint>& all, Env& env) {
  std::vector<std::vector<std::string>> rows;
  for (const tail::Checkpoint& c : all) {
    const char* packed = c.packing == tail::Packing::kNone ? "" : " (compressed)";
    rows.push_back({c.space, c.origin.ToString(), std::to_string(c.resume), SizeText(c, env),
                    c.vanished == kNoTime ? "" : FormatRfc3339(c.vanished).substr(0, 19) + "Z",
                    c.path + packed});
  }
  return PrintTable({"INPUT", "ORIGIN", "OFFSET", "SIZE", "GONE SINCE", "PATH"}, rows);
}

std::string JsonCheckpoints(const std::vector<tail::Checkpoint>& all) {
  std::string out;
  for (const tail::Checkpoint& c : all) {
    out += fmt::format(
        "{{\"input\":{},\"origin\":\"{}\",\"path\":{},\"offset\":{},\"emitted\":{},"
        "\"seen\":{},"
        "\"inode\":{},\"device\":{},\"compressed\":{},\"gone_since\":{}}}\n",
        config::JsonString(c.space), c.origin.ToString(), config::JsonString(c.path), c.resume,
        c.emitted, c.seen, c.identity.key.inode, c.identity.key.device,
        c.packing != tail::Packing::kNone,
        c.vanished == kNoTime ? "null" : "\"" + FormatRfc3339(c.vanished) + "\"");
  }
  return out;
}

int List(const Arguments& arguments, const Context& context) {
  const auto all = tail::ListCheckpoints(context.env, Database(arguments));
  if (all.status().code() == Code::kAlreadyExists) return ListOfAgent(arguments, context);
  if (!all.ok()) return context.Fail(all.status());
  context.out.Out(arguments.Has("json") ? JsonCheckpoints(*all)
                                        : PrintCheckpoints(*all, context.env));
  return kExitOk;
}

// The checkpoints that a word names: an origin's id, or a path. A path names those that still have
// it, or, when there are none, those that had it.
std::vector<tail::Checkpoint> Named(const std::vector<tail::Checkpoint>& all,
                                    const std::string& word) {
  std::vector<tail::Checkpoint> present;
  std::vector<tail::Checkpoint> gone;
  for (const tail::Checkpoint& c : all) {
    if (c.origin.ToString() == word) return {c};
    if (c.path == word) (c.vanished == kNoTime ? present : gone).push_back(c);
  }
  return present.empty() ? gone : present;
}

Result<tail::Checkpoint> NamedOne(const std::vector<tail::Checkpoint>& all,
                                  const std::string& word) {
  const std::vector<tail::Checkpoint> found = Named(all, word);
  if (found.empty()) return NotFoundError("there is no checkpoint of " + word);
  if (found.size() == 1) return found[0];
  std::string message =
      fmt::format("{} has {} checkpoints; name one by its origin:", word, found.size());
  for (const tail::Checkpoint& c : found) {
    message += fmt::format("\n  {}  {}  at {}", c.origin.ToString(), c.space, c.resume);
  }
  return InvalidArgumentError(std::move(message));
}

Result<uint64_t> OffsetParameter(const Arguments& arguments) {
  const std::string text = arguments.Get("offset");
  if (text == "end") return UINT64_MAX;
  if (!text.empty() && text.size() <= 18 &&
      text.find_first_not_of("0123456789") == std::string::npos) {
    return std::stoull(text);
  }
  return InvalidArgumentError("--offset takes a number of bytes or \"end\"");
}

Status SetOne(const Arguments& arguments, const Context& context, uint64_t offset) {
  ASSIGN_OR_RETURN(const auto lock, LockDataDir(arguments, context));
  const std::string database = Database(arguments);
  ASSIGN_OR_RETURN(const auto before, tail::ListCheckpoints(context.env, database));
  ASSIGN_OR_RETURN(const tail::Checkpoint one, NamedOne(before, arguments.positional()[0]));
  ASSIGN_OR_RETURN(const OriginId origin,
                   tail::SetCheckpoint(context.env, database, one.origin, offset));
  ASSIGN_OR_RETURN(const auto after, tail::ListCheckpoints(context.env, database));
  ASSIGN_OR_RETURN(const tail::Checkpoint now, NamedOne(after, origin.ToString()));
  context.out.Out(fmt::format("{}: {} -> {}\n", one.path, one.resume, now.resume));
  if (origin != one.origin) {
    context.out.Out(
        fmt::format("its origin is now {} (was {}), so that what is read again counts as new\n",
                    origin.ToString(), one.origin.ToString()));
  }
  return OkStatus();
}

int Set(const Arguments& arguments, const Context& context) {
  const Result<uint64_t> offset = OffsetParameter(arguments);
  if (!offset.ok()) return context.Fail(kExitUsage, offset.status().message());
  const Status status = SetOne(arguments, context, *offset);
  return status.ok() ? kExitOk : context.Fail(status);
}

Status RemoveNamed(const Arguments& arguments, const Context& context) {
  ASSIGN_OR_RETURN(const auto lock, LockDataDir(arguments, context));
  const std::string database = Database(arguments);
  ASSIGN_OR_RETURN(const auto all, tail::ListCheckpoints(context.env, database));
  std::vector<OriginId> origins;
  for (const std::string& word : arguments.positional()) {
    const std::vector<tail::Checkpoint> found = Named(all, word);
    if (found.empty()) return NotFoundError("there is no checkpoint of " + word);
    for (const tail::Checkpoint& c : found) {
      origins.push_back(c.origin);
      context.out.Out(fmt::format("{}: was at {}\n", c.path, c.resume));
    }
  }
  ASSIGN_OR_RETURN(const size_t removed, tail::RemoveCheckpoints(context.env, database, origins));
  context.out.Out(fmt::format("{} of {} checkpoints removed\n", removed, all.size()));
  return OkStatus();
}

int Remove(const Arguments& arguments, const Context& context) {
  const Status status = RemoveNamed(arguments, context);
  return status.ok() ? kExitOk : context.Fail(status);
}

}  // namespace

Command CheckpointsListCommand() {
  return {
      .name = "checkpoints list",
      .summary = "shows where reading of each file goes on",
      .doc =
          "Lists the checkpoints of an agent that is stopped, by input and path. A running agent\n"
          "is asked instead, for the positions of what it follows, as far as they are "
          "acknowledged.",
      .options = {DataDirOption(),
                  {.name = "json", .doc = "One JSON object a line."},
                  AgentOption()},
      .examples = {{"kelp checkpoints list", "of the agent of this machine"}},
      .run = List,
  };
}

Command CheckpointsSetCommand() {
  return {
      .name = "checkpoints set",
      .positional = "ORIGIN|PATH",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "moves the position of a file, while the agent is stopped",
      .doc =
          "The agent reads on from the given byte, which is taken for the start of a line. Going "
          "back\ngives the file a new origin, so that the server takes its rows once more.",
      .options = {{.name = "offset",
                   .value = "BYTES",
                   .doc = "Where reading goes on: a number of bytes, or \"end\"."},
                  DataDirOption()},
      .examples = {{"kelp checkpoints set /var/log/app.log --offset 0", "read it all again"},
                   {"kelp checkpoints set /var/log/app.log --offset end",
                    "pass over what is there"}},
      .run = Set,
  };
}

Command CheckpointsRemoveCommand() {
  return {
      .name = "checkpoints remove",
      .positional = "ORIGIN|PATH...",
      .positional_min = 1,
      .positional_max = 10000,
      .summary = "forgets files, while the agent is stopped",
      .doc = "The agent then takes them for new, and reads them from their beginning.",
      .options = {DataDirOption()},
      .examples = {{"kelp checkpoints remove /var/log/app.log", "forget one file"}},
      .run = Remove,
  };
}

}  // namespace kelp::cli
