// World: one seed's machine, agent and destination, and the order in which things happen.
//
// There is one clock and nobody waits: the World picks what is due next and calls it. Machine
// events (writers, rotators) only touch the disk, and so may also happen between two system calls
// of the agent; timers and network events are the agent's own and happen only between its calls.
// A run has three parts:
// - chaos: writers write, rotators rotate, the agent dies and comes back, the destination fails;
// - calm: writers have finished and nothing fails; everything due must arrive in bounded time;
// - quiet: nothing happens; the agent must rest, keep its memory, close its files, and a clean
//   restart must send nothing again.
//
// world.cc has the order of things and the checks, world_files.cc what actors do to files.
//
// Threads: one.
#ifndef KELP_TESTS_SIM_WORLD_H_
#define KELP_TESTS_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors.h"
#include "chance.h"
#include "disk.h"
#include "history.h"
#include "losses.h"
#include "network.h"
#include "oracle.h"
#include "packing.h"
#include "sights.h"
#include "sim_agent.h"
#include "sim_env.h"

namespace kelp::sim {

struct WorldOptions {
  DiskOptions disk;
  AgentOptions agent;
  NetworkFaults network;
  Duration chaos = 30s;
  Duration life_mean = 6s;  // of the agent; 0: it does not die
  Duration down_max = 8s;
  Duration outage_mean = 10s;         // between outages of the destination; 0: none
  uint32_t interleave_per_mille = 0;  // machine events between system calls
  uint32_t stall_percent = 2;         // of steps of the agent's threads
  uint32_t checkpoint_errors_per_mille = 0;
  uint32_t reload_percent = 0;       // of lives that get a changed configuration
  uint32_t clean_stop_percent = 10;  // of ends of lives
  uint32_t power_cut_percent = 0;    // of deaths: the spool loses what was not synced
  bool exact_restart = true;         // a clean restart sends nothing again
  bool exact_losses = true;          // see Losses::set_exact
  bool owed_losses = true;           // see Losses::set_owed
  bool dead_letters = false;         // the first pipeline has a dead-letter output
  bool spooled = false;              // outputs have a spool
  // The pipelines, as flow YAML.
  std::vector<std::string> pipelines;
  // Pipelines of a reload; empty: as above.
  std::vector<std::string> reloaded;
};

struct WorldCounts {
  OracleCounts lines;
  std::map<std::string, uint64_t> events;  // rotations by kind, deaths, ...
};

class World {
 public:
  World(uint64_t seed, bool tracing);
  ~World();

  // --- building (scenarios) ---
  WorldOptions options;
  Chance& chance() { return chance_; }
  // Makes the machine from `options`. Before any actor.
  void Build();
  template <typename A, typename... Args>
  A& Add(Args&&... args) {
    auto actor = std::make_unique<A>(*this, std::forward<Args>(args)...);
    A& reference = *actor;
    actors_.push_back(std::move(actor));
    return reference;
  }

  // --- running ---
  // True when every promise was kept; else failure() says which was not.
  bool Run();
  const std::string& failure() const { return oracle_.failure(); }
  uint64_t hash() const { return history_.hash(); }
  WorldCounts Counts() const;

  // --- for actors ---
  SimClock& clock() { return clock_; }
  Disk& disk() { return *disk_; }
  Oracle& oracle() { return oracle_; }
  History& history() { return history_; }
  // Machine events.
  void After(Duration delay, std::function<void()> event);
  // False once calm has come: no new lines, no rotations.
  bool chaos() const { return chaos_; }
  void Count(const std::string& event) { ++events_[event]; }
  // Every pipeline stored a position of `path`: it knows the name.
  bool PathKnown(const std::string& path) const;
  // Every pipeline stored a fingerprint of what is in the file now: it can know it elsewhere.
  bool ContentKnown(const Node& node) const;
  // The file is emptied; `kept` bytes of it are in `copy`, which may be null.
  void Emptied(Handle& file, uint64_t kept, const std::shared_ptr<Node>& copy);
  // The file is cut to its first `length` bytes.
  void CutTo(Handle& file, uint64_t length);
  // How far any life of the agent read in what the file holds now.
  uint64_t ReadOf(const Node& node) const { return sights_.ReadOf(node.serial); }
  // The agent lives and has the file open.
  bool AgentHolds(const Node& node) const;
  // As mv and rm would; the oracle learns what is lost by it.
  void Rename(const std::string& from, const std::string& to);
  void Remove(const std::string& path);
  void RemoveTree(const std::string& path);
  // As gzip would: makes `packed`, a little later removes `file`. Nobody writes to it any more.
  void PackFile(const std::string& file, const std::string& packed, Packing packing);
  // Everything due in the file that has the name now.
  bool AllArrivedOf(const std::string& path) const;

 private:
  using Queue = std::multimap<Duration, std::function<void()>>;

  void Advance();
  bool AdvanceUntil(const std::function<bool()>& done, Duration most);
  void RunFirst(Queue& queue);
  void Calm();
  void CheckCalm();
  void CheckQuiet();
  void CheckRestart();
  // --- the agent ---
  void StartAgent();
  void EndLife();
  void Bury();
  void StepTail();
  void TurnEngine();
  void OnAgentCall();
  void CheckMemory();
  void CheckLedger(bool at_rest);
  Duration TailAt() const;
  Duration Jitter(Duration most);
  void Outage();
  void Unlinked(const std::shared_ptr<Node>& node, bool held);

  Chance chance_;
  History history_;
  SimClock clock_;
  Oracle oracle_;
  std::unique_ptr<Disk> disk_;
  DurableCheckpoints checkpoints_{clock_};
  Sights sights_{clock_, oracle_, checkpoints_};
  Losses losses_{history_, oracle_, sights_, checkpoints_};
  std::unique_ptr<Destination> destination_;
  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<Actor>> actors_;
  std::unique_ptr<SimAgent> agent_;

  Queue machine_;
  Queue timers_;
  bool chaos_ = true;
  uint64_t calls_to_death_ = 0;  // 0: not armed
  Duration tail_earliest_{0};
  Duration tail_latest_{0};
  Duration engine_at_{0};
  Duration tick_at_{0};
  std::map<uint64_t, Duration> emptied_at_;  // by Node::serial
  uint64_t acked_rows_ = 0;                  // by the outputs of this life
  uint64_t busy_steps_ = 0;                  // steps and turns that said they did something
  std::map<std::string, uint64_t> events_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_WORLD_H_
