// kelp export: every row of a search, or of a statement's result, into a file.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "json_slice.h"
#include "query_options.h"
#include "row.h"

namespace kelp::cli {
namespace {

const std::vector<std::string> kFormats = {"jsonl", "csv", "parquet"};
// A Parquet file is written whole before its first byte comes, and rare rows take their time.
constexpr Duration kSilenceMax = 1h;
constexpr Duration kProgressInterval = 1s;

// The format that the file's name asks for; "jsonl" where it says nothing.
std::string FormatOf(const Arguments& arguments) {
  if (arguments.Has("format")) return arguments.Get("format");
  const std::string file = arguments.Get("output");
  const std::string ending = file.substr(std::min(file.rfind('.') + 1, file.size()));
  for (const std::string& format : kFormats) {
    if (ending == format) return format;
  }
  return "jsonl";
}

// Where the bytes go: a file beside its place until it is whole, or standard output.
class Target {
 public:
  Target(const Context& context, std::string path) : context_(context), path_(std::move(path)) {}
  ~Target() {
    if (file_ != nullptr) context_.env.files().Remove(Part()).IgnoreError();
  }
  Status Open() {
    if (path_ == "-") return OkStatus();
    ASSIGN_OR_RETURN(file_, context_.env.files().OpenForWrite(Part(), true));
    return OkStatus();
  }
  Status Write(std::string_view bytes) {
    if (file_ != nullptr) return file_->Append(bytes);
    context_.out.Out(bytes);
    return OkStatus();
  }
  Status Close() {
    if (file_ == nullptr) return OkStatus();
    RETURN_IF_ERROR(file_->Sync());
    RETURN_IF_ERROR(context_.env.files().Rename(Part(), path_));
    file_.reset();
    return OkStatus();
  }

 private:
  std::string Part() const { return path_ + ".part"; }

  const Context& context_;
  const std::string path_;
  std::unique_ptr<File> file_;
};

// What the server knows of the export, asked for beside it.
class Watch {
 public:
  Watch(const Context& context, Remote remote, const std::string& ca_file)
      : context_(context),
        id_(fmt::format("export-{:016x}", context.env.random().Next())),
        client_(std::move(remote), ca_file),
        shown_(isatty(STDERR_FILENO) != 0),
        last_(context.env.clock().Monotonic()) {}

  const std::string& id() const { return id_; }
  // Shows how far it is, now and then, on a terminal.
  void Show(uint64_t bytes) {
    const Duration now = context_.env.clock().Monotonic();
    if (!shown_ || now - last_ < kProgressInterval) return;
    last_ = now;
    const Result<std::string> json = client_.Get("/api/v1/queries/" + id_);
    const auto share = json.ok() ? Member(*json, "share") : std::nullopt;
    const std::string percent =
        share && *share != "null"
            ? fmt::format(", {:.0f} %", 100 * std::strtod(std::string(*share).c_str(), nullptr))
            : "";
    context_.out.Err(fmt::format("\r{}{}\x1b[K", FormatByteSizeShort({bytes}), percent));
    dirty_ = true;
  }
  void End() {
    if (dirty_) context_.out.Err("\r\x1b[K");
  }
  // Why the file is not whole; empty when it is.
  std::string Partial() {
    const Result<std::string> json = client_.Get("/api/v1/queries/" + id_);
    if (!json.ok()) return "";
    const auto partial = Member(*json, "partial");
    return partial && *partial != "null" ? ValueText(*partial) : "";
  }

 private:
  const Context& context_;
  const std::string id_;
  RemoteClient client_;
  const bool shown_;
  Duration last_;
  bool dirty_ = false;
};

Status Receive(RemoteClient& client, const QueryCall& call, const std::string& target, Target& file,
               Watch& watch, uint64_t& bytes) {
  Status written;
  const Status status = client.Stream(
      target,
      [&](std::string_view chunk) {
        written = file.Write(chunk);
        bytes += chunk.size();
        watch.Show(bytes);
        return written.ok();
      },
      call.query, kSilenceMax);
  watch.End();
  RETURN_IF_ERROR(written);
  RETURN_IF_ERROR(status);
  return file.Close();
}

int Export(const Arguments& arguments, const Context& context) {
  const Result<QueryCall> call = MakeCall(arguments);
  if (!call.ok()) return context.Fail(kExitUsage, call.status().message());
  const Result<Remote> remote = ResolveServer(arguments, context);
  if (!remote.ok()) return context.Fail(kExitUsage, remote.status().message());
  RemoteClient client(*remote, arguments.Get("ca-file"));
  Watch watch(context, *remote, arguments.Get("ca-file"));
  Target file(context, arguments.Get("output"));
  if (const Status opened = file.Open(); !opened.ok()) return context.Fail(opened);
  const std::string target = call->Target("export", {{"format", FormatOf(arguments)},
                                                     {"fields", arguments.Get("fields")},
                                                     {"order", arguments.Get("order")},
                                                     {"id", watch.id()}});
  uint64_t bytes = 0;
  const Status status = Receive(client, *call, target, file, watch, bytes);
  if (!status.ok()) return context.Fail(status);
  const std::string partial = watch.Partial();
  if (!partial.empty()) {
    return context.Fail(kExitDiffers, "the export is not complete: " + Harmless(partial));
  }
  if (arguments.Get("output") != "-") {
    context.out.Err(
        fmt::format("kelp: {} in {}\n", FormatByteSizeShort({bytes}), arguments.Get("output")));
  }
  return kExitOk;
}

}  // namespace

Command ExportCommand() {
  std::vector<OptionSpec> options = {
      {.name = "output",
       .letter = 'o',
       .value = "FILE",
       .doc = "Where to; - is standard output.",
       .fallback = "-"},
      {.name = "format",
       .value = "FORMAT",
       .doc = "How it is written. Without it: what the file's name ends in, else jsonl.",
       .choices = kFormats},
      {.name = "fields",
       .letter = 'F',
       .value = "A,B",
       .doc = "Of a search: only these columns; also time, body, origin, offset."},
  };
  options.push_back(
      {.name = "order",
       .value = "ORDER",
       .doc = "newest: newest row first. any: as they are stored, several times faster.",
       .fallback = "newest",
       .choices = {"newest", "any"}});
  for (OptionSpec& option : QueryOptions("1h")) options.push_back(std::move(option));
  return {
      .name = "export",
      .positional = "[QUERY]",
      .positional_max = 1,
      .summary = "writes all rows of a search or a statement into a file",
      .doc =
          "Takes every row, without a bound; SEARCH | SELECT ... gives the rows\n"
          "of its result. The file is there only once it is whole. Exit code 1: it was written, "
          "but\nblocks of the store could not be read.",
      .options = std::move(options),
      .examples = {{"kelp export 'level:error' --since 1d -o errors.csv -F time,pod,body",
                    "three columns as CSV"},
                   {"kelp export --since 2026-11-01T00:00:00Z -o november.parquet",
                    "everything, for other tools"}},
      .run = Export,
  };
}

}  // namespace kelp::cli
