// MemoryGovernor: keeps the agent's resident memory below memory_limit by making the budget for
// batches smaller and larger.
//
// memory_limit is meant for the whole process: the program, what is known of files and pipelines,
// buffers of outputs, and batches. Only the last can give way, so they get what the others leave:
// at most kBatchShare of the limit, and less as the resident memory nears it. The budget moves in
// steps, so that reading slows down instead of stopping, and grows only while it is asked for:
// after a rest a burst meets a small one.
//
//   MemoryGovernor governor(64_MiB, ProcessMemory(env.files()));
//   governor.Tick(engine.memory().used())      // each second; the budget from now on
//
// Place:    the agent's main loop.
// Threads:  thread-compatible; ResidentBytes() of the metrics is read by any thread.
// Limits:   the budget is never below kBudgetMin: an agent that cannot move at all would be worse
//           than one that is a little too large.
// Tests:    memory_governor_test.cc
#ifndef KELP_AGENT_MEMORY_GOVERNOR_H_
#define KELP_AGENT_MEMORY_GOVERNOR_H_

#include <cstdint>
#include <functional>

#include "base/env.h"
#include "base/units.h"

namespace kelp::agent {

// What the governor sees and can do of its process.
struct ProcessMemory {
  std::function<uint64_t()> resident;  // bytes; 0 when not known
  std::function<void()> release;       // gives free heap memory back to the system
};
ProcessMemory OwnProcessMemory(FileSystem& files);
// Bytes of this process that are in memory; 0 where /proc does not tell.
uint64_t ResidentBytes(FileSystem& files);

class MemoryGovernor {
 public:
  static constexpr double kBatchShare = 0.75;
  // Of that share, what the budget is at first and after a rest.
  static constexpr double kStartShare = 0.5;
  // The resident memory that is aimed at, as a part of the limit: a second's worth of growth must
  // fit above it.
  static constexpr double kTarget = 0.9;
  // A read needs 256 KiB to go at full speed; this is for a few pipelines at once.
  static constexpr ByteSize kBudgetMin = 2_MiB;
  // Nothing was on its way for so many ticks: free memory goes back to the system, once.
  static constexpr int kIdleTicks = 10;

  MemoryGovernor(ByteSize limit, ProcessMemory process);

  ByteSize budget() const { return ByteSize{budget_}; }
  // Looks at the process; `used` are the bytes that batches hold. The new budget.
  ByteSize Tick(uint64_t used);

 private:
  void ReleaseWhenIdle(uint64_t used);
  void Report(uint64_t resident);

  const uint64_t limit_;
  const ProcessMemory process_;
  const uint64_t budget_max_;
  const uint64_t budget_min_;
  const uint64_t budget_start_;
  uint64_t budget_;
  int idle_ticks_ = 0;
  bool tight_ = false;  // said so
};

}  // namespace kelp::agent

#endif  // KELP_AGENT_MEMORY_GOVERNOR_H_
