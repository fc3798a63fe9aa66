// StdoutOutput: writes rows to the process's standard output.
#ifndef KELP_OUTPUT_STDOUT_STDOUT_OUTPUT_H_
#define KELP_OUTPUT_STDOUT_STDOUT_OUTPUT_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <thread>

#include "base/sync.h"
#include "codec/byte_buffer.h"
#include "config/schema.h"
#include "output/common/row_format.h"
#include "pipeline/output.h"

namespace kelp::output {

struct StdoutOutputConfig {
  RowFormat format = RowFormat::kJson;
  static const config::Schema<StdoutOutputConfig>& ConfigSchema();
};

// Appends batches to standard output and acknowledges each when the system took all of it.
//
// Place:    the streaming sidecar, and trying pipelines out.
// Owns:     a thread while there is something to write: whoever reads our output may be slow, and
//           workers must not wait for that. Borrows the descriptor.
// Threads:  thread-safe, as Output asks.
// Blocking: Write never; Stop for at most `grace`.
// Limits:   HasRoom() is false while kQueueBytesMax wait.
// Errors:   when the reader is gone (EPIPE), or writing fails otherwise, rows are kept and tried
//           again every kRetryPeriod, with one message in a while; positions do not move.
// Counts:   output_sent_rows_total, output_sent_bytes_total, output_queue_bytes.
// Tests:    stdout_output_test.cc
class StdoutOutput final : public pipeline::Output {
 public:
  static constexpr std::string_view kName = "stdout";
  using Config = StdoutOutputConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<pipeline::Output>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  // `fd` is standard output, or, for tests, another descriptor.
  StdoutOutput(const Config& config, const pipeline::ComponentContext& context, int fd = 1);
  ~StdoutOutput() override;
  Status Start(pipeline::OutputHost& host) override;
  void Write(SharedBatch batch, pipeline::Ack ack) override;
  bool HasRoom() const override;
  void Stop(Duration grace) override;

 private:
  struct Item {
    codec::ByteBuffer text;
    uint64_t rows = 0;
    pipeline::Ack ack;
  };

  void Run() EXCLUDES(mu_);
  // The next item; false when the thread has to end.
  bool Next(Item& item) EXCLUDES(mu_);
  // False when the output stops before everything was written.
  bool WriteAll(std::string_view text) EXCLUDES(mu_);
  // Waits a little; false when the output stops.
  bool WaitForReader(int error) EXCLUDES(mu_);
  bool TimeIsUp() EXCLUDES(mu_);
  void Return(size_t bytes);

  const Config config_;
  Env& env_;
  const int fd_;
  size_t chunk_bytes_;
  Counter& sent_rows_;
  Counter& sent_bytes_;
  Gauge& queue_bytes_gauge_;
  pipeline::OutputHost* host_ = nullptr;
  std::atomic<size_t> queue_bytes_{0};

  Mutex mu_;
  CondVar wake_;
  std::deque<Item> queue_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  Duration stop_by_ GUARDED_BY(mu_){0};
  std::thread thread_;
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_STDOUT_STDOUT_OUTPUT_H_
