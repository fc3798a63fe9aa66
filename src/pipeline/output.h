// Output: takes batches and says when they are safe.
//
// Order of calls: Start → Write* → Stop. Write is called by several workers at once, but for one
// origin in order, never two at a time. An output that sends asynchronously keeps that order within
// an origin: a later batch of an origin may not be committed downstream before an earlier one.
#ifndef KELP_PIPELINE_OUTPUT_H_
#define KELP_PIPELINE_OUTPUT_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "batch/batch.h"
#include "pipeline/component.h"

namespace kelp::pipeline {

// Counts down the outputs that still owe their word for one batch. Implemented by the engine.
class AckTarget {
 public:
  virtual ~AckTarget() = default;
  virtual void OnAck() = 0;
  // These rows of the batch were given up, before OnAck. False when nothing here books rows.
  virtual bool OnGiveUp([[maybe_unused]] const std::vector<uint32_t>& rows,
                        [[maybe_unused]] std::string_view reason) {
    return false;
  }
};

// An output's promise to say when a batch is safe. Move-only.
//
// Threads: may be moved to and fulfilled on any thread.
// Errors:  destroyed unfulfilled, the batch counts as not delivered: its positions stay, and it is
//          read again after a restart of the pipeline.
class Ack {
 public:
  Ack() = default;
  explicit Ack(std::shared_ptr<AckTarget> target) : target_(std::move(target)) {}
  Ack(Ack&&) = default;
  Ack& operator=(Ack&&) = default;
  // The rows are safe downstream, or were given up and counted (ComponentContext::DropCounter).
  void Done() {
    if (target_) std::exchange(target_, nullptr)->OnAck();
  }
  // Only for the engine's GiveUp: books rows as dropped. False when nobody books them.
  bool Book(const std::vector<uint32_t>& rows, std::string_view reason) {
    return target_ != nullptr && target_->OnGiveUp(rows, reason);
  }

 private:
  std::shared_ptr<AckTarget> target_;
};

// What the engine offers an output. Thread-safe.
class OutputHost {
 public:
  virtual ~OutputHost() = default;
  // HasRoom() became true again.
  virtual void RoomAvailable() = 0;
  // Takes over selected rows that no retry can save: refused for good, too large. They are counted
  // by `reason` (lower case with underscores) in the origin's ledger and in
  // output_dropped_rows_total, and go to the pipeline's dead-letter output where there is one;
  // `ack` is fulfilled once that has them. `rows` are row numbers of the batch; empty: all
  // selected. Returns at once.
  virtual void GiveUp(SharedBatch batch, std::vector<uint32_t> rows, std::string_view reason,
                      Ack ack) = 0;
  // Rows that were acknowledged are gone all the same: a spool dropped or lost them. They stand in
  // the ledger as dropped later, by reason.
  virtual void LostLater(std::string_view /*reason*/, uint64_t /*rows*/) {}
};

class Output {
 public:
  virtual ~Output() = default;
  // May open files and start threads. An error keeps the pipeline from starting.
  virtual Status Start(OutputHost& host) = 0;
  // Takes the selected rows (at least one). Must not block on the network or a slow disk longer
  // than one system call. Thread-safe.
  virtual void Write(SharedBatch batch, Ack ack) = 0;
  // False: the engine holds the pipeline's reading (or, with required: false, passes the output
  // over, counted). May be late by the batches that workers have in hand. Thread-safe, cheap.
  virtual bool HasRoom() const { return true; }
  // Sends what it holds, for at most `grace`, then ends; acks not fulfilled by then are destroyed.
  virtual void Stop(Duration grace) = 0;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_OUTPUT_H_
