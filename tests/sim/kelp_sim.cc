// kelp_sim: the whole agent on a simulated machine, with an oracle that knows every line.
//
//   kelp_sim --seeds 10000                      every scenario in turn
//   kelp_sim --first 4711 --seeds 1 --scenario rename --trace
//   kelp_sim --break drop_row --seeds 300       must fail: the oracle works
//   kelp_sim --check-breaks --seeds 300         all of them, one after the other
//
// File system, clock, inotify, network and chance are simulated behind the Env seams; engine,
// TailService, file input and processors are the real ones. A seed decides everything: who writes
// what and when, how files are rotated, when the agent dies (also between two of its system calls),
// what the destination refuses. The same seed gives the same history, which is why a failure needs
// no more than its seed: it is run again with --trace and tells what happened.
//
// Where to look: world.h (order of things), oracle.h (promises), scenario.cc (what is combined),
// rotators.h and writers.h (who acts), disk.h and sim_watcher.h (the machine).
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "breaks.h"
#include "scenario.h"
#include "world.h"

namespace kelp::sim {
namespace {

struct Arguments {
  uint64_t seeds = 100;
  uint64_t first = 1;
  const Scenario* scenario = nullptr;  // null: all in turn
  bool trace = false;
  bool twice = false;
  bool check_breaks = false;
  std::string broken;
};

void PrintUsage() {
  std::puts(
      "usage: kelp_sim [--seeds N] [--first S] [--scenario NAME] [--trace] [--twice] "
      "[--break NAME] [--check-breaks] [--list]\n"
      "  --twice         runs each seed twice and compares the histories\n"
      "  --break         puts a bug in; the run must fail (exit code 1)\n"
      "  --check-breaks  every bug there is must be found within the seeds");
}

// False when the program is to end with `code`.
bool Parse(int argc, char** argv, Arguments& arguments, int& code) {
  code = 2;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (key == "--trace") {
      arguments.trace = true;
    } else if (key == "--twice") {
      arguments.twice = true;
    } else if (key == "--check-breaks") {
      arguments.check_breaks = true;
    } else if (key == "--list") {
      for (const Scenario& s : AllScenarios()) fmt::print("{:<20} {}\n", s.name, s.about);
      code = 0;
      return false;
    } else if (value == nullptr) {
      PrintUsage();
      return false;
    } else if (key == "--seeds" || key == "--first") {
      (key == "--seeds" ? arguments.seeds : arguments.first) = std::strtoull(value, nullptr, 10);
      ++i;
    } else if (key == "--scenario" && (arguments.scenario = FindScenario(value)) != nullptr) {
      ++i;
    } else if (key == "--break" && FindBreak(value).has_value()) {
      arguments.broken = value;
      SetBreak(*FindBreak(value));
      ++i;
    } else {
      fmt::print(stderr, "kelp_sim: {} {} is not known\n", key, value);
      PrintUsage();
      return false;
    }
  }
  return true;
}

struct Summary {
  uint64_t seeds = 0;
  WorldCounts counts;
  void Add(const WorldCounts& more) {
    ++seeds;
    counts.lines.lines += more.lines.lines;
    counts.lines.arrived += more.lines.arrived;
    counts.lines.excused += more.lines.excused;
    counts.lines.torn_pieces += more.lines.torn_pieces;
    for (const auto& [event, count] : more.events) counts.events[event] += count;
  }
  void Print(std::string_view name) const {
    std::string events;
    for (const auto& [event, count] : counts.events) events += fmt::format(", {} {}", count, event);
    fmt::print("{:<20} {} seeds: {} lines, {} excused, {} torn pieces{}\n", name, seeds,
               counts.lines.lines, counts.lines.excused, counts.lines.torn_pieces, events);
  }
};

void PrintFailure(const Arguments& arguments, const Scenario& scenario, uint64_t seed,
                  const std::string& failure) {
  const std::string broken = arguments.broken.empty() ? "" : " --break " + arguments.broken;
  fmt::print("\nFAILED seed {} of scenario {}: {}\n", seed, scenario.name, failure);
  fmt::print("to run it again: kelp_sim --scenario {} --first {} --seeds 1 --trace{}\n",
             scenario.name, seed, broken);
}

// The failure, or empty.
std::string RunSeed(const Scenario& scenario, uint64_t seed, const Arguments& arguments,
                    Summary& summary) {
  World world(seed, arguments.trace);
  scenario.build(world);
  const bool good = world.Run();
  summary.Add(world.Counts());
  if (!good) return world.failure();
  if (!arguments.twice) return "";
  World again(seed, false);
  scenario.build(again);
  again.Run();
  if (again.hash() == world.hash()) return "";
  return "two runs of the seed have different histories";
}

// The one that is named, or all.
std::vector<const Scenario*> Chosen(const Arguments& arguments) {
  if (arguments.scenario != nullptr) return {arguments.scenario};
  std::vector<const Scenario*> chosen;
  for (const Scenario& scenario : AllScenarios()) chosen.push_back(&scenario);
  return chosen;
}

int RunAll(const Arguments& arguments) {
  std::map<std::string_view, Summary> summaries;
  const std::vector<const Scenario*> chosen = Chosen(arguments);
  for (uint64_t i = 0; i < arguments.seeds; ++i) {
    const uint64_t seed = arguments.first + i;
    const Scenario& scenario = *chosen[seed % chosen.size()];
    const std::string failure = RunSeed(scenario, seed, arguments, summaries[scenario.name]);
    if (failure.empty()) continue;
    PrintFailure(arguments, scenario, seed, failure);
    return 1;
  }
  for (const auto& [name, summary] : summaries) summary.Print(name);
  return 0;
}

int CheckBreaks(const Arguments& arguments) {
  const std::vector<const Scenario*> chosen = Chosen(arguments);
  int missed = 0;
  for (const NamedBreak& named : AllBreaks()) {
    SetBreak(named.value);
    std::string failure;
    uint64_t seed = arguments.first;
    Summary ignored;
    for (; failure.empty() && seed < arguments.first + arguments.seeds; ++seed) {
      failure = RunSeed(*chosen[seed % chosen.size()], seed, arguments, ignored);
    }
    missed += failure.empty() ? 1 : 0;
    fmt::print("{:<20} {}\n", named.name,
               failure.empty() ? "NOT FOUND"
                               : fmt::format("found by seed {}: {}", seed - 1,
                                             failure.substr(0, failure.find('\n'))));
  }
  return missed == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  int code = 0;
  if (!Parse(argc, argv, arguments, code)) return code;
  // Kelp's own messages are part of a traced history only.
  SetLogOptions({.level = arguments.trace ? LogLevel::kInfo : static_cast<LogLevel>(9)});
  return arguments.check_breaks ? CheckBreaks(arguments) : RunAll(arguments);
}

}  // namespace
}  // namespace kelp::sim

int main(int argc, char** argv) { return kelp::sim::Main(argc, argv); }
