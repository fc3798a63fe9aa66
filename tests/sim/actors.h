// Actor: whoever acts on the simulated machine besides the agent.
#ifndef KELP_TESTS_SIM_ACTORS_H_
#define KELP_TESTS_SIM_ACTORS_H_

namespace kelp::sim {

class World;

// Makes its own events with World::After, until the World is no longer in chaos.
class Actor {
 public:
  explicit Actor(World& world) : world_(world) {}
  virtual ~Actor() = default;
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  // Once, when the run begins.
  virtual void Start() = 0;
  // Calm has come: ends what is half done.
  virtual void Finish() {}

 protected:
  World& world_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_ACTORS_H_
