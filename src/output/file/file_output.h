// FileOutput: writes rows to a local file, as JSON lines or as they are.
#ifndef KELP_OUTPUT_FILE_FILE_OUTPUT_H_
#define KELP_OUTPUT_FILE_FILE_OUTPUT_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/sync.h"
#include "codec/byte_buffer.h"
#include "config/schema.h"
#include "output/common/backoff.h"
#include "output/common/message_gate.h"
#include "output/common/row_format.h"
#include "output/file/rotating_file.h"
#include "pipeline/output.h"

namespace kelp::output {

enum class FileSyncMode { kNone, kInterval };

struct FileOutputConfig {
  std::string path;
  RowFormat format = RowFormat::kJson;
  ByteSize rotate_size = 0_B;
  uint32_t rotate_keep = 5;
  FileSyncMode sync = FileSyncMode::kNone;
  Duration sync_interval = 1s;
  static const config::Schema<FileOutputConfig>& ConfigSchema();
};

// Appends batches to one file; acknowledges a batch when it was written, or, with `sync: interval`,
// when it was made durable.
//
// Whoever calls Write while nobody writes becomes the writer until the queue is empty; the others
// leave their text in the queue and go on. So no thread is needed while all is well, and a worker
// waits for at most the writes it does itself.
//
// Place:    for copies on the machine, for scripts, and as a second output.
// Owns:     the file, and a thread from the first failed write on, or from the start when it syncs.
// Threads:  thread-safe, as Output asks. The file belongs to the one that set `writing_`.
// Blocking: Write, for the disk.
// Limits:   HasRoom() is false while kQueueBytesMax wait or writing fails.
// Errors:   a failed write (disk full, rights) leaves no partial line; the text is kept and tried
//           again with back-off for ever, with one message in a while that names the path.
// Counts:   output_sent_rows_total, output_sent_bytes_total, output_retries_total,
//           output_rotations_total, output_queue_bytes.
// Tests:    file_output_test.cc, rotating_file_test.cc
class FileOutput final : public pipeline::Output {
 public:
  static constexpr std::string_view kName = "file";
  using Config = FileOutputConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<pipeline::Output>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  FileOutput(const Config& config, const pipeline::ComponentContext& context);
  ~FileOutput() override;
  Status Start(pipeline::OutputHost& host) override;
  void Write(SharedBatch batch, pipeline::Ack ack) override;
  bool HasRoom() const override;
  void Stop(Duration grace) override;

 private:
  // The text of one batch.
  struct Item {
    codec::ByteBuffer text;
    uint64_t rows = 0;
    pipeline::Ack ack;
  };

  codec::ByteBuffer TakeBuffer() EXCLUDES(mu_);
  // Writes what is queued until nothing is left or a write fails. Takes and gives up `writing_`.
  void Drain() EXCLUDES(mu_);
  // What is queued. Nothing: `writing_` was given up, and if writing had failed, it works again.
  std::deque<Item> TakeQueue() EXCLUDES(mu_);
  // Gives `items` to the file; how many of them were written.
  size_t WriteItems(std::deque<Item>& items, Status& status);
  void Written(Item& item) EXCLUDES(mu_);
  void Failed(const Status& status) REQUIRES(mu_);
  void ReportRotation();
  void StartThread() REQUIRES(mu_);
  void RunThread() EXCLUDES(mu_);
  enum class Work { kDrain, kSync, kEnd };
  // Sleeps until something is due. With kDrain, `writing_` is the thread's.
  Work NextWork() EXCLUDES(mu_);
  void SyncWritten() EXCLUDES(mu_);

  const Config config_;
  Env& env_;
  Counter& sent_rows_;
  Counter& sent_bytes_;
  Counter& retries_;
  Counter& rotations_;
  Gauge& queue_bytes_gauge_;
  pipeline::OutputHost* host_ = nullptr;

  RotatingFile file_;  // of the one that set writing_
  uint64_t rotations_seen_ = 0;
  MessageGate rotate_gate_;
  std::atomic<bool> failing_{false};
  std::atomic<size_t> queue_bytes_{0};

  Mutex mu_;
  CondVar wake_;
  std::deque<Item> queue_ GUARDED_BY(mu_);
  bool writing_ GUARDED_BY(mu_) = false;
  std::vector<codec::ByteBuffer> spare_ GUARDED_BY(mu_);
  std::vector<pipeline::Ack> unsynced_ GUARDED_BY(mu_);
  std::shared_ptr<File> sync_handle_ GUARDED_BY(mu_);
  bool sync_names_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  Duration stop_by_ GUARDED_BY(mu_){0};
  Duration retry_at_ GUARDED_BY(mu_){0};  // while failing_
  Duration sync_at_ GUARDED_BY(mu_){0};   // while unsynced_ has something
  Backoff backoff_ GUARDED_BY(mu_);
  MessageGate gate_ GUARDED_BY(mu_);
  bool complained_ GUARDED_BY(mu_) = false;  // the last failure was logged
  std::thread thread_;
};

}  // namespace kelp::output

template <>
struct kelp::config::EnumNames<kelp::output::FileSyncMode> {
  static constexpr std::string_view kNames[] = {"none", "interval"};
};

#endif  // KELP_OUTPUT_FILE_FILE_OUTPUT_H_
