// The agent's one hard memory budget: bytes that batches hold between reading and acknowledgement.
//
// Readers reserve before they read and wait when nothing is left; whoever frees a batch returns its
// bytes. Nothing in here allocates: it only counts.
//
// Threads: thread-safe. The callback given to OnRelease runs on the releasing thread; keep it
// short.
#ifndef KELP_BASE_MEMORY_BUDGET_H_
#define KELP_BASE_MEMORY_BUDGET_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/units.h"

namespace kelp {

class MemoryBudget {
 public:
  explicit MemoryBudget(ByteSize limit) : limit_(limit.bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // False, and nothing taken, when less than `bytes` are left.
  bool TryReserve(uint64_t bytes) {
    uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used + bytes > limit_.load(std::memory_order_relaxed)) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_acq_rel));
    uint64_t peak = peak_.load(std::memory_order_relaxed);
    while (used + bytes > peak && !peak_.compare_exchange_weak(peak, used + bytes)) {
    }
    return true;
  }
  // Takes bytes that are already allocated (a processor made text longer); may pass the limit.
  void ForceReserve(uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_acq_rel); }
  void Release(uint64_t bytes) {
    used_.fetch_sub(bytes, std::memory_order_acq_rel);
    if (on_release_) on_release_();
  }
  // Set once, before threads start. Also called when the limit grows.
  void OnRelease(std::function<void()> callback) { on_release_ = std::move(callback); }

  uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t peak() const { return peak_.load(std::memory_order_relaxed); }
  uint64_t free() const { return used() >= limit() ? 0 : limit() - used(); }
  // May be set below what is used: nothing is reserved then until enough came back.
  void set_limit(ByteSize limit) {
    const uint64_t old = limit_.exchange(limit.bytes);
    if (limit.bytes > old && on_release_) on_release_();
  }

 private:
  std::atomic<uint64_t> limit_;
  std::atomic<uint64_t> used_{0};
  std::atomic<uint64_t> peak_{0};
  std::function<void()> on_release_;
};

// What one holder takes of a budget, as it grows and shrinks; given back at its end.
//
// Threads: thread-compatible.
class BudgetShare {
 public:
  // nullptr: nobody counts.
  explicit BudgetShare(MemoryBudget* budget) : budget_(budget) {}
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;
  ~BudgetShare() { Set(0); }

  // The bytes are there already, so this may pass the limit: readers wait then.
  void Set(uint64_t bytes) {
    const uint64_t before = std::exchange(bytes_, bytes);
    if (budget_ == nullptr || bytes == before) return;
    if (bytes > before) {
      budget_->ForceReserve(bytes - before);
    } else {
      budget_->Release(before - bytes);
    }
  }
  // Less than half of the budget is left: what is kept for speed alone should go.
  bool tight() const { return budget_ != nullptr && budget_->free() < budget_->limit() / 2; }

 private:
  MemoryBudget* const budget_;
  uint64_t bytes_ = 0;
};

}  // namespace kelp

#endif  // KELP_BASE_MEMORY_BUDGET_H_
