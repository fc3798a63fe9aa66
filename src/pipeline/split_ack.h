// SplitAck: one ack that several parties have to fulfil.
#ifndef KELP_PIPELINE_SPLIT_ACK_H_
#define KELP_PIPELINE_SPLIT_ACK_H_

#include <atomic>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/output.h"

namespace kelp::pipeline {

// Fulfils an ack when all its parts are: one for the rows that are delivered, and one for each
// group of rows that is given up. What is booked for a part is booked for the whole.
//
// Threads: thread-safe. AddPart only while another part is still owed.
class SplitAck final : public AckTarget {
 public:
  explicit SplitAck(Ack ack, int parts = 1) : ack_(std::move(ack)), left_(parts) {}
  void AddPart() { left_.fetch_add(1, std::memory_order_relaxed); }
  void OnAck() override {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) ack_.Done();
  }
  bool OnGiveUp(const std::vector<uint32_t>& rows, std::string_view reason) override {
    return ack_.Book(rows, reason);
  }

 private:
  Ack ack_;
  std::atomic<int> left_;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_SPLIT_ACK_H_
