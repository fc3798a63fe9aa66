// Scenarios: which writers, rotators and faults a simulated world has.
#ifndef KELP_TESTS_SIM_SCENARIO_H_
#define KELP_TESTS_SIM_SCENARIO_H_

#include <string_view>
#include <vector>

namespace kelp::sim {

class World;

struct Scenario {
  std::string_view name;
  std::string_view about;
  // Fills World::options, calls Build and adds the actors.
  void (*build)(World& world);
};

const std::vector<Scenario>& AllScenarios();
// nullptr when there is none of that name.
const Scenario* FindScenario(std::string_view name);

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_SCENARIO_H_
