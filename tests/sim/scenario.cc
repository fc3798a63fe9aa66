#include "scenario.h"

#include <algorithm>
#include <string>

#include "rotators.h"
#include "world.h"
#include "writers.h"

namespace kelp::sim {
namespace {

struct PipelineOptions {
  std::string include = "/var/log/*.log";
  std::string format = "lines";
  bool filter = false;
  std::string input_more;  // further keys of the input
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
  yaml +=
      fmt::format("outputs: [{{type: sim, pipeline: {}, lanes: {}, room: {}, batches_max: {}}}]}}",
                  number, chance.Between(1, 3), chance.Between(1, 8), chance.Between(1, 4));
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
  if (chance.Percent(20)) o.agent.faults.read_errors_per_mille = 10;
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
      world.Add<DateRotator>(w, 3s);
    }
  }
}

// The same, with a machine that goes on between any two system calls of the agent.
void BuildRenameRaces(World& world) {
  world.options.interleave_per_mille = 10;
  BuildRename(world);
}

}  // namespace

const std::vector<Scenario>& AllScenarios() {
  static const std::vector<Scenario> all = {
      {"rename", "logrotate's numbers and dates, by renaming", BuildRename},
      {"rename_races", "the same, also between two system calls of the agent", BuildRenameRaces},
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
