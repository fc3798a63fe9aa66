#include "agent/memory_governor.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "batch/buffer_pool.h"

namespace kelp::agent {
namespace {
// Steps get smaller as the budget nears its goal; this much it always grows.
constexpr uint64_t kStepMin = 64u << 10;
}  // namespace

uint64_t ResidentBytes(FileSystem& files) {
  constexpr ByteSize kStatmMax{4096};
  const auto text = ReadFile(files, "/proc/self/statm", kStatmMax);
  if (!text.ok()) return 0;
  const size_t space = text->find(' ');
  if (space == std::string::npos) return 0;
  uint64_t pages = 0;
  std::from_chars(text->data() + space + 1, text->data() + text->size(), pages);
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

ProcessMemory OwnProcessMemory(FileSystem& files) {
  return {.resident = [&files] { return ResidentBytes(files); },
          .release =
              [] {
                BufferPool::Shared().Trim();
                malloc_trim(0);
              }};
}

MemoryGovernor::MemoryGovernor(ByteSize limit, ProcessMemory process)
    : limit_(limit.bytes),
      process_(std::move(process)),
      budget_max_(std::max(static_cast<uint64_t>(static_cast<double>(limit.bytes) * kBatchShare),
                           kBudgetMin.bytes)),
      budget_min_(kBudgetMin.bytes),
      budget_start_(std::max(static_cast<uint64_t>(static_cast<double>(budget_max_) * kStartShare),
                             budget_min_)),
      budget_(budget_start_) {}

ByteSize MemoryGovernor::Tick(uint64_t used) {
  ReleaseWhenIdle(used);
  const uint64_t resident = process_.resident();
  if (resident == 0) return budget();
  const auto target = static_cast<uint64_t>(static_cast<double>(limit_) * kTarget);
  // Everything but batches is there whatever the budget is; they get what it leaves.
  const uint64_t rest = resident - std::min(resident, used);
  const uint64_t fair = std::clamp(target - std::min(target, rest), budget_min_, budget_max_);
  if (fair < budget_ && resident > target) {
    budget_ -= std::max<uint64_t>((budget_ - fair) / 2, 1);
    process_.release();
    Report(resident);
  } else if (fair > budget_ && used > budget_ / 4) {
    budget_ = std::min(fair, budget_ + (fair - budget_) / 4 + kStepMin);
    if (budget_ > budget_max_ / 2) tight_ = false;
  }
  budget_ = std::clamp(budget_, budget_min_, budget_max_);
  return budget();
}

void MemoryGovernor::ReleaseWhenIdle(uint64_t used) {
  if (used != 0) {
    idle_ticks_ = 0;
  } else if (++idle_ticks_ == kIdleTicks) {
    process_.release();
    budget_ = std::min(budget_, budget_start_);
  }
}

void MemoryGovernor::Report(uint64_t resident) {
  if (tight_ || budget_ > budget_max_ / 2) return;
  tight_ = true;
  LOG(kWarning,
      "the agent holds {} of its memory_limit of {}; log data gets {} of it now, so reading may be "
      "slower (nothing is lost; raise memory_limit, or follow fewer files)",
      FormatByteSizeShort(ByteSize{resident}), FormatByteSizeShort(ByteSize{limit_}),
      FormatByteSizeShort(ByteSize{budget_}));
}

}  // namespace kelp::agent
