// What else happens on a machine: the disk fills up, clocks are set, links and rights change.
#ifndef KELP_TESTS_SIM_MISCHIEF_H_
#define KELP_TESTS_SIM_MISCHIEF_H_

#include <string>
#include <utility>
#include <vector>

#include "actors.h"
#include "writers.h"

namespace kelp::sim {

// Leaves little space now and then, for a while.
class DiskFiller final : public Actor {
 public:
  using Actor::Actor;
  void Start() override;
};

// Sets the wall clock by up to an hour, in either direction.
class ClockSetter final : public Actor {
 public:
  using Actor::Actor;
  void Start() override;
};

// Gives a writer's file more names: symbolic links, made and removed again, and hard links to the
// file as it is at the moment. At least one stays.
class Linker final : public Actor {
 public:
  Linker(World& world, LogWriter& writer, std::vector<std::string> names)
      : Actor(world), writer_(writer), names_(std::move(names)) {}
  void Start() override;

 private:
  void Act();
  LogWriter& writer_;
  const std::vector<std::string> names_;
};

// Takes and gives the right to read a file.
class PermissionGiver final : public Actor {
 public:
  PermissionGiver(World& world, LogWriter& writer) : Actor(world), writer_(writer) {}
  void Start() override;
  void Finish() override;

 private:
  LogWriter& writer_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_MISCHIEF_H_
