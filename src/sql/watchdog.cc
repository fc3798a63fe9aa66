#include "sql/watchdog.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace kelp::sql {
namespace {

// How often limits are looked at: a statement overruns by so much at most between two operators.
constexpr Duration kInterval = 10ms;
// The process may grow by this many times the statement's memory: decoded blocks, buffers and what
// other requests take meanwhile are in it.
constexpr uint64_t kGrowthFactor = 3;

uint64_t ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long long size = 0, resident = 0;
  if (std::fscanf(file, "%llu %llu", &size, &resident) != 2) resident = 0;
  std::fclose(file);
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Watchdog::Watchdog(const query::Limits& limits, std::function<void()> stop)
    : limits_(limits), stop_(std::move(stop)), thread_([this] { Run(); }) {}

Watchdog::~Watchdog() {
  {
    MutexLock lock(mu_);
    done_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
}

Watchdog::Why Watchdog::Look() const {
  if (limits_.cancelled != nullptr && limits_.cancelled->load(std::memory_order_relaxed)) {
    return Why::kCancelled;
  }
  return std::chrono::steady_clock::now() - begin_ >= limits_.time ? Why::kTime : Why::kNone;
}

Watchdog::Why Watchdog::why() const {
  const Why why = why_;
  return why == Why::kNone ? Look() : why;
}

void Watchdog::Run() {
  const uint64_t resident_max = ResidentBytes() + kGrowthFactor * limits_.memory.bytes;
  MutexLock lock(mu_);
  while (!done_) {
    wake_.WaitFor(mu_, kInterval);
    if (done_) return;
    if (why_ == Why::kNone) {
      Why why = Look();
      if (why == Why::kNone && ResidentBytes() > resident_max) why = Why::kMemory;
      why_ = why;
    }
    if (why_ != Why::kNone) stop_();
  }
}

}  // namespace kelp::sql
