#include "scenario.h"

#include <algorithm>
#include <string>
#include <vector>

#include "mischief.h"
#include "rotators.h"
#include "sights.h"
#include "sim_output.h"
#include "world.h"
#include "writers.h"

namespace kelp::sim {
namespace {

struct PipelineOptions {
  std::string include = "/var/log/*.log";
  std::string format = "lines";
  bool filter = false;
  std::string input_more;  // further keys of the input
  bool dead_letters = false;
  bool spooled = false;
};

std::string Pipeline(World& world, const PipelineOptions& options) {
  const size_t number = world.options.pipelines.size();
  Chance& chance = world.chance();
  std::string yaml = fmt::format(
      "{{name: p{}, inputs: [{{type: file, include: [\"{}\"], start_at: beginning, format: {}, "
      "line_bytes_max: 1KiB{}}}], ",
      number, options.include, options.format, options.input_more);
  if (options.filter) {
    yaml += fmt::format("processors: [{{type: filter, exclude: {{field: body, regex: {}}}}}], ",
                        kFilteredWord);
  }
  const std::string keys =
      fmt::format("pipeline: {}, lanes: {}, room: {}, batches_max: {}", number,
                  chance.Between(1, 3), chance.Between(1, 8), chance.Between(1, 4));
  yaml += options.spooled ? "outputs: [{type: sim_spooled, output: {" + keys + "}}]"
                          : "outputs: [{type: sim, " + keys + "}]";
  if (options.dead_letters) {
    yaml += fmt::format(", dead_letter: {{type: sim, pipeline: {}}}", kDeadLetters);
  }
  yaml += "}";
  return yaml;
}

// What every scenario varies.
void VaryFaults(World& world) {
  Chance& chance = world.chance();
  WorldOptions& o = world.options;
  if (chance.Percent(15)) o.agent.env.watcher.queued_max = chance.Between(2, 8);
  if (chance.Percent(10)) o.agent.env.without_watcher = true;
  if (chance.Percent(10)) o.agent.env.watcher.watches_max = chance.Below(2);
  o.disk.reuse_inodes = chance.Percent(80);
  o.network.refused_percent = chance.Percent(50) ? 5 : 0;
  o.network.request_lost_percent = chance.Percent(50) ? 5 : 0;
  o.network.answer_lost_percent = chance.Percent(50) ? 5 : 0;
  o.network.delay_max = chance.Between(1ms, 300ms);
  if (chance.Percent(10)) o.agent.memory_limit = 64_KiB;
  if (chance.Percent(30)) o.outage_mean = Duration(0);
}

void MakeLogDir(World& world) {
  world.Build();
  world.disk().MakeDir("/var");
  world.disk().MakeDir("/var/log");
}

void BuildRename(World& world) {
  VaryFaults(world);
  world.options.pipelines.push_back(Pipeline(world, {.filter = world.chance().Percent(20)}));
  MakeLogDir(world);
  Chance& chance = world.chance();
  for (uint64_t i = chance.Between(1, 3); i > 0; --i) {
    WriterOptions writer{.path = fmt::format("/var/log/app{}.log", i)};
    if (world.options.pipelines[0].find("filter") != std::string::npos)
      writer.filtered_percent = 20;
    LogWriter& w = world.Add<LogWriter>(writer);
    if (chance.Percent(70)) {
      world.Add<NumberedRotator>(w, NumberedOptions{.create = chance.Percent(50)});
    } else {
      world.Add<DatedRotator>(w, DatedOptions{});
    }
  }
}

// A file system that does not say when a file was made.
void BuildNoBirths(World& world) {
  world.options.disk.has_birth_times = false;
  VaryFaults(world);
  world.options.pipelines.push_back(Pipeline(world, {}));
  MakeLogDir(world);
  LogWriter& writer = world.Add<LogWriter>(WriterOptions{.path = "/var/log/app.log"});
  world.Add<NumberedRotator>(writer, NumberedOptions{.only_known = true});
}

// The same, with a machine that goes on between any two system calls of the agent.
void BuildRenameRaces(World& world) {
  world.options.interleave_per_mille = 10;
  BuildRename(world);
}

// The same, on a failing machine: reads and opens fail now and then, descriptors are few, positions
// cannot always be stored.
void BuildRenameFaulty(World& world) {
  Chance& chance = world.chance();
  WorldOptions& o = world.options;
  if (chance.Percent(50)) o.agent.faults.read_errors_per_mille = 10;
  if (chance.Percent(50)) o.agent.faults.open_errors_per_mille = 10;
  if (chance.Percent(30)) o.agent.faults.descriptors_max = chance.Between(1, 4);
  if (chance.Percent(30)) o.checkpoint_errors_per_mille = 200;
  BuildRename(world);
}

// --- containers ---

// Kubelet's files: records in pieces on two streams; 0.log becomes 0.log.TIME; a container that is
// started again writes 1.log.
void BuildContainers(World& world, const DatedOptions& rotation, bool split_records = false) {
  VaryFaults(world);
  world.options.exact_restart = false;  // pieces of one stream are read again with the other's
  world.options.pipelines.push_back(
      Pipeline(world, {.include = "/var/log/pods/*/*/*.log", .format = "container"}));
  MakeLogDir(world);
  Chance& chance = world.chance();
  const LogFormat format = chance.Percent(70) ? LogFormat::kCri : LogFormat::kDocker;
  world.disk().MakeDir("/var/log/pods");
  for (uint64_t pod = chance.Between(1, 2); pod > 0; --pod) {
    const std::string dir = fmt::format("/var/log/pods/ns_pod{}_uid", pod);
    world.disk().MakeDir(dir);
    world.disk().MakeDir(dir + "/main");
    for (uint64_t restart = 0; restart <= chance.Below(2); ++restart) {
      LogWriter& writer =
          world.Add<LogWriter>(WriterOptions{.path = fmt::format("{}/main/{}.log", dir, restart),
                                             .format = format,
                                             .split_records = split_records});
      world.Add<DatedRotator>(writer, rotation);
    }
  }
}

void BuildCri(World& world) { BuildContainers(world, {.separator = '.'}); }

void BuildCriSplit(World& world) { BuildContainers(world, {.separator = '.'}, true); }

void BuildKubelet(World& world) {
  const Packing packing = world.chance().Percent(70) ? Packing::kGzip : Packing::kZstd;
  BuildContainers(world, {.separator = '.', .packing = packing, .tell_max = 300ms});
}

// --- plain files, one kind of end each ---

LogWriter& AddApp(World& world, const std::string& path, WriterOptions options = {}) {
  options.path = path;
  return world.Add<LogWriter>(options);
}

void BuildPlain(World& world, const std::string& include = "/var/log/*.log") {
  VaryFaults(world);
  world.options.pipelines.push_back(Pipeline(world, {.include = include}));
  MakeLogDir(world);
}

void BuildCompress(World& world) {
  BuildPlain(world);
  Chance& chance = world.chance();
  world.Add<DatedRotator>(
      AddApp(world, "/var/log/app.log"),
      DatedOptions{.packing = chance.Percent(70) ? Packing::kGzip : Packing::kZstd,
                   .delay_compress = chance.Percent(50),
                   .tell_max = 300ms});
}

// Between any two system calls of the agent what it just looked at may be renamed or compressed.
// Which content an origin was begun with is not told exactly then, nor what the agent took note of.
void Interleave(World& world) {
  world.options.interleave_per_mille = world.chance().Percent(50) ? 10 : 50;
  world.options.exact_losses = false;
  world.options.owed_losses = false;
}

// Programs whose files all begin with the same lines, few or more than files are told apart by.
// Not those whose files are emptied and begun anew in place: there it cannot always be told.
void BuildBanner(World& world) {
  Chance& chance = world.chance();
  if (chance.Percent(30)) Interleave(world);
  const uint64_t kind = chance.Below(100);
  BuildPlain(world);
  LogWriter& writer = AddApp(world, "/var/log/app.log",
                             {.banner_bytes = chance.Percent(50) ? chance.Between(1, 1024) : 1500});
  if (kind < 15) {
    world.Add<Ender>(writer, EndOptions{.kinds = {EndKind::kRecreate, EndKind::kReplace}});
  } else if (kind < 40) {
    world.Add<NumberedRotator>(writer, NumberedOptions{.create = chance.Percent(50)});
  } else {
    const Packing packing = chance.Percent(70) ? Packing::kGzip : Packing::kZstd;
    world.Add<DatedRotator>(
        writer,
        DatedOptions{.packing = packing, .delay_compress = chance.Percent(50), .tell_max = 300ms});
  }
}

void BuildCopyTruncate(World& world, Packing packing) {
  Chance& chance = world.chance();
  // The copy matches, or it does not.
  BuildPlain(world, chance.Percent(30) ? "/var/log/*.log*" : "/var/log/*.log");
  world.Add<CopyTruncateRotator>(AddApp(world, "/var/log/app.log"),
                                 CopyTruncateOptions{.packing = packing});
}

void BuildCopyTruncatePlain(World& world) { BuildCopyTruncate(world, Packing::kNone); }
void BuildCopyTruncatePacked(World& world) { BuildCopyTruncate(world, Packing::kGzip); }

void BuildCopyTruncateRaces(World& world) {
  Interleave(world);
  BuildCopyTruncate(world, world.chance().Percent(30) ? Packing::kNone : Packing::kGzip);
}

void BuildPackedRaces(World& world) {
  Interleave(world);
  if (world.chance().Percent(50)) return BuildKubelet(world);
  BuildCompress(world);
}

void BuildEnds(World& world, const EndOptions& options) {
  BuildPlain(world, "/var/log/*/*.log");
  world.disk().MakeDir("/var/log/app");
  LogWriter& writer = AddApp(world, "/var/log/app/app.log", {.half_percent = 10});
  world.Add<Ender>(writer, options);
}

void BuildTruncate(World& world) {
  BuildEnds(world, {.kinds = {EndKind::kTruncate, EndKind::kRewrite},
                    .only_read = world.chance().Percent(50)});
}
void BuildTruncatePart(World& world) {
  // Who has to give a file up because it was cut reports what was left of it, too, though the next
  // origin reads that: how much was left is not known to whom comes later.
  world.options.exact_losses = false;
  world.options.agent.tail.left_bytes_min = kLeftBytesMin;
  BuildEnds(world, {.kinds = {EndKind::kCut}});
}
void BuildRecreate(World& world) {
  BuildEnds(world, {.kinds = {EndKind::kRecreate, EndKind::kReplace}});
}
void BuildRemoveTree(World& world) { BuildEnds(world, {.kinds = {EndKind::kRemoveTree}}); }

// Docker's json-file driver moves its own files: .1 to .2, and few are kept.
void BuildKeepFew(World& world) {
  BuildPlain(world);
  Chance& chance = world.chance();
  world.Add<NumberedRotator>(AddApp(world, "/var/log/app.log"),
                             NumberedOptions{.keep = static_cast<uint32_t>(chance.Between(1, 3)),
                                             .create = false,
                                             .tell_max = Duration(0)});
}

// --- configurations ---

void BuildTwoPipelines(World& world) {
  VaryFaults(world);
  for (int i = 0; i < 2; ++i) world.options.pipelines.push_back(Pipeline(world, {}));
  MakeLogDir(world);
  world.Add<NumberedRotator>(AddApp(world, "/var/log/app.log"), NumberedOptions{});
}

void BuildReload(World& world) {
  VaryFaults(world);
  world.options.pipelines.push_back(Pipeline(world, {}));
  world.options.reload_percent = 80;
  MakeLogDir(world);
  // The same but for the output's room.
  std::string changed = world.options.pipelines[0];
  const size_t room = changed.find("room: ") + 6;
  changed[room] = changed[room] == '9' ? '8' : '9';
  world.options.reloaded = {changed};
  world.Add<NumberedRotator>(AddApp(world, "/var/log/app.log"), NumberedOptions{});
}

// Records of several lines.
void BuildJava(World& world) {
  VaryFaults(world);
  world.options.exact_restart = false;  // the last record may go on: it is read again
  world.options.pipelines.push_back(
      Pipeline(world, {.input_more = ", multiline: {start: 'w\\d+#'}"}));
  MakeLogDir(world);
  LogWriter& writer =
      AddApp(world, "/var/log/app.log", {.format = LogFormat::kJava, .long_percent = 0});
  world.Add<NumberedRotator>(writer, NumberedOptions{});
}

// What the destination refuses goes to the dead letters.
void BuildDeadLetters(World& world) {
  VaryFaults(world);
  world.options.dead_letters = true;
  world.options.pipelines.push_back(Pipeline(world, {.dead_letters = true}));
  MakeLogDir(world);
  LogWriter& writer = AddApp(world, "/var/log/app.log", {.refused_percent = 10});
  world.Add<NumberedRotator>(writer, NumberedOptions{});
}

// A spool before the output, on the same disk.
void BuildSpool(World& world) {
  VaryFaults(world);
  world.options.spooled = true;
  world.options.pipelines.push_back(Pipeline(world, {.spooled = true}));
  MakeLogDir(world);
  world.disk().MakeDir(kSpoolDir);
  world.Add<NumberedRotator>(AddApp(world, "/var/log/app.log"), NumberedOptions{});
  if (world.chance().Percent(30)) world.Add<DiskFiller>();
}

// The same, and the machine loses power: what the spool acknowledged must have been synced.
void BuildSpoolPower(World& world) {
  world.options.power_cut_percent = 50;
  BuildSpool(world);
}

// A writer without O_APPEND leaves a hole of NULs when its file is emptied under it.
void BuildHoles(World& world) {
  // Of a file that a hole was left in, the copy may be taken for another's: what is read there is
  // then reported, too (5 of 6000 seeds).
  world.options.exact_losses = false;
  BuildPlain(world);
  LogWriter& writer = AddApp(world, "/var/log/app.log", {.append = false});
  world.Add<CopyTruncateRotator>(writer, CopyTruncateOptions{});
}

// The disk fills up and is emptied again; writers go on where they were stopped.
void BuildDiskFull(World& world) {
  BuildPlain(world);
  world.Add<NumberedRotator>(AddApp(world, "/var/log/app.log"), NumberedOptions{});
  world.Add<DiskFiller>();
}

// Somebody sets the clock, forth and back.
void BuildClock(World& world) {
  BuildPlain(world);
  world.Add<NumberedRotator>(AddApp(world, "/var/log/app.log"), NumberedOptions{});
  world.Add<ClockSetter>();
}

// --- odd names ---

void BuildOddFiles(World& world) {
  BuildPlain(world);
  Chance& chance = world.chance();
  world.disk().MakeFifo("/var/log/fifo.log");
  world.disk().MakeDir("/var/log/dir.log");
  world.disk().Symlink("/var/log/loop.log", "/var/log/loop.log");
  world.disk().Symlink("/nowhere", "/var/log/dangling.log");
  world.disk().MakeDir("/srv");
  // Two links and a hard link to one file: it is read once.
  LogWriter& linked = AddApp(world, "/srv/linked.log");
  world.Add<Linker>(linked, std::vector<std::string>{"/var/log/l1.log", "/var/log/l2.log"});
  LogWriter& hidden = AddApp(world, "/var/log/hidden.log");
  world.Add<PermissionGiver>(hidden);
  if (chance.Percent(50)) {
    world.Add<NumberedRotator>(AddApp(world, "/var/log/app.log"), NumberedOptions{});
  }
}

}  // namespace

const std::vector<Scenario>& AllScenarios() {
  static const std::vector<Scenario> all = {
      {"rename", "logrotate's numbers and dates, by renaming", BuildRename},
      {"rename_races", "the same, also between two system calls of the agent", BuildRenameRaces},
      {"rename_faulty", "the same, on a machine where calls fail", BuildRenameFaulty},
      {"no_births", "a file system without birth times", BuildNoBirths},
      {"cri", "container logs in pieces on two streams, 0.log to 0.log.TIME", BuildCri},
      {"cri_split", "the same, with records that begin in one file and end in the next",
       BuildCriSplit},
      {"kubelet", "the same, with all but the newest compressed", BuildKubelet},
      {"compress", "dateext with compress, or delaycompress", BuildCompress},
      {"banner", "files that all begin with the same lines", BuildBanner},
      {"copytruncate", "copied in steps, then emptied", BuildCopyTruncatePlain},
      {"copytruncate_packed", "the same, the copy compressed at once", BuildCopyTruncatePacked},
      {"copytruncate_races", "the same, also between two system calls of the agent",
       BuildCopyTruncateRaces},
      {"packed_races", "kubelet's and logrotate's compression between two system calls",
       BuildPackedRaces},
      {"truncate", "emptied, or written anew in place", BuildTruncate},
      {"truncate_part", "cut to a part of it, also in the middle of a line", BuildTruncatePart},
      {"recreate", "deleted and made again, or replaced by another file", BuildRecreate},
      {"remove_tree", "deleted with its directory; both come back", BuildRemoveTree},
      {"keep_few", "Docker's .1 and .2: the oldest are deleted, read or not", BuildKeepFew},
      {"two_pipelines", "two pipelines follow the same file", BuildTwoPipelines},
      {"reload", "the configuration changes while files rotate", BuildReload},
      {"java", "records of several lines", BuildJava},
      {"dead_letters", "rows that the destination refuses for good", BuildDeadLetters},
      {"spool", "a spool on the simulated disk before the output", BuildSpool},
      {"spool_power", "the same, and the power is cut", BuildSpoolPower},
      {"holes", "copytruncate under a writer without O_APPEND", BuildHoles},
      {"disk_full", "writers and rotators without space", BuildDiskFull},
      {"clock", "the wall clock is set forth and back", BuildClock},
      {"odd_files", "links, hard links, FIFOs, directories, loops, permission given later",
       BuildOddFiles},
  };
  return all;
}

const Scenario* FindScenario(std::string_view name) {
  const auto& all = AllScenarios();
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const Scenario& s) { return s.name == name; });
  return it == all.end() ? nullptr : &*it;
}

}  // namespace kelp::sim
