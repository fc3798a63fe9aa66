// SpooledOutput: an output with a queue on disk before it.
#ifndef KELP_PIPELINE_SPOOLED_OUTPUT_H_
#define KELP_PIPELINE_SPOOLED_OUTPUT_H_

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "codec/kelp_batch.h"
#include "pipeline/component.h"
#include "pipeline/output.h"
#include "spool/disk_queue.h"
#include "spool/spool_config.h"

namespace kelp::pipeline {

// `inner` with a spool before it, as the key `spool:` of an output asks. Opens nothing before
// Start, which fails when there is neither a path nor a data directory. `dead_letter`: the pipeline
// has an output for what others give up; rows that a full spool drops are given up to it.
Result<std::unique_ptr<Output>> MakeSpooledOutput(std::unique_ptr<Output> inner,
                                                  const spool::SpoolConfig& config,
                                                  const ComponentContext& context,
                                                  bool dead_letter);

// Encodes every batch, puts it into a DiskQueue, acknowledges it, and hands what the queue holds to
// the inner output as that has room. What the inner output acknowledged leaves the queue.
//
// Everything goes through the queue, so that what the destination sees of an origin is in order
// whatever crashes in between (docs/decisions/0008-spool.md). A batch that the inner output can
// take at once is handed over from memory; the disk is then only written.
//
// Place:    made by the engine's Runtime for an output with `spool:`.
// Owns:     the inner output, the queue, and a thread while there is something to do. In a
//           simulation there is no thread; the simulation calls Step().
// Threads:  Write, HasRoom: any. Start, Stop: one. Step: one at a time.
// Blocking: Write never (it compresses); Stop for at most `grace` and what the disk takes.
// Limits:   config.size on disk; kPendingMax of batches that wait to be written; kCacheMax of
//           batches that are kept for handing over. Past the inner output's own room nothing is
//           read.
// Errors:   a full or failing disk holds the pipeline (HasRoom is false), with a message. Lost rows
//           are counted in output_dropped_rows_total and spool_dropped_rows_total by reason.
// Counts:   spool_bytes, spool_records, spool_rows, spool_oldest_seconds,
//           spool_dropped_rows_total{reason}
// Format:   docs/formats/spool.md
// Tests:    spooled_output_test.cc
class SpooledOutput final : public Output {
 public:
  static constexpr size_t kPendingMax = 4u << 20;
  static constexpr size_t kCacheMax = 4u << 20;
  // So much memory of batches that are dropped may be on its way to the dead-letter output, and the
  // record that goes over it; where that is slower, the rest is gone: dropping must not wait.
  static constexpr size_t kGivingUpMax = 4u << 20;

  struct Options {
    bool own_thread = true;  // false: nothing happens but in Step()
    bool dead_letter = false;
  };
  SpooledOutput(std::unique_ptr<Output> inner, const spool::SpoolConfig& config,
                const ComponentContext& context, Options options);
  ~SpooledOutput() override;

  Status Start(OutputHost& host) override;
  void Write(SharedBatch batch, Ack ack) override;
  bool HasRoom() const override;
  void Stop(Duration grace) override;

  // Writes, sends and tidies up what can be now. When there is something to do again (monotonic):
  // the past when there is more already; nothing when only a Write, an ack or the inner output's
  // room can make more. REQUIRES: started; no thread of its own.
  std::optional<Duration> Step();

 private:
  // Wakes the thread; shared with acks, which may outlive the output.
  struct Signal {
    Mutex mu;
    CondVar wake;
    bool woken GUARDED_BY(mu) = false;
    void Wake();
  };
  class RecordAck;
  class GivenUpAck;
  class InnerHost;
  // One record on its way to the disk.
  struct Item {
    std::string payload;
    uint32_t rows = 0;
    UnixNanos time = 0;
    SharedBatch batch;  // to be handed over from memory; null: read back
    size_t memory = 0;
    Ack ack;
  };
  // A record of the queue's end that is in memory too.
  struct Cached {
    spool::Position next;
    SharedBatch batch;
    UnixNanos time = 0;
    size_t memory = 0;
    uint64_t sequence = 0;
  };
  struct Sent {
    std::shared_ptr<RecordAck> ack;
    spool::Position next;
    UnixNanos time = 0;
  };

  // `refused`: rows of which no record can be made.
  std::vector<Item> Encode(const SharedBatch& batch, std::vector<uint32_t>& refused);
  std::string EncodePayload(const Batch& batch, size_t& raw);
  void AppendPending();
  void TakeAcks();
  // False when there is no more to hand over, or no room.
  bool SendOne();
  bool SendRecord(spool::Record record);
  void HandOver(std::vector<SharedBatch> batches, const spool::Position& next, UnixNanos time);
  void Report();
  void OnLoss(const spool::Loss& loss);
  void GiveUpDropped(const spool::Record& record);
  void Wake();
  void Run();
  void StopThread();
  void DropWhatWasNotWritten();

  const std::unique_ptr<Output> inner_;
  const spool::SpoolConfig config_;
  const ComponentContext context_;
  const Options options_;
  const std::string dir_;
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  OutputHost* host_ = nullptr;
  std::unique_ptr<InnerHost> inner_host_;

  // Confined to whoever steps.
  std::unique_ptr<spool::DiskQueue> queue_;
  std::deque<Item> writing_;
  std::deque<Cached> cache_;
  size_t cache_bytes_ = 0;
  std::deque<Sent> sent_;
  Duration retry_at_{0};
  bool complained_ = false;
  uint64_t given_up_rows_ = 0;  // of the segment that is being dropped
  const std::shared_ptr<std::atomic<size_t>> giving_up_ = std::make_shared<std::atomic<size_t>>(0);

  std::atomic<size_t> pending_bytes_{0};
  std::atomic<bool> full_{false};
  std::atomic<bool> said_full_{false};
  Mutex mu_;
  std::vector<Item> pending_ GUARDED_BY(mu_);
  std::vector<std::unique_ptr<codec::BatchSetEncoder>> encoders_ GUARDED_BY(mu_);
  bool running_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_ GUARDED_BY(mu_);

  Gauge& bytes_gauge_;
  Gauge& records_gauge_;
  Gauge& rows_gauge_;
  Gauge& oldest_gauge_;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_SPOOLED_OUTPUT_H_
