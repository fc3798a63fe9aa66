#include "output/stdout/stdout_output.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "base/log.h"
#include "output/common/sent_counters.h"

namespace kelp::output {
namespace {

// A few turns' worth of text; more would only move the queue from files into memory.
constexpr size_t kQueueBytesMax = 4u << 20;
constexpr Duration kRetryPeriod = 1s;
constexpr Duration kMessagePeriod = 30s;
// How long one wait for a slow reader lasts before the thread looks whether it has to end.
constexpr int kPollMs = 100;

// A pipe or terminal that poll() calls writable takes this much without blocking; a regular file
// never blocks.
size_t ChunkBytes(int fd) {
  struct stat info;
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  return regular ? SIZE_MAX : PIPE_BUF;
}

// A reader that goes away must be an error of write(), not the end of the process. A handler that
// somebody has set stays.
void IgnoreBrokenPipeSignal() {
  struct sigaction action;
  if (::sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, nullptr);
  }
}

}  // namespace

const config::Schema<StdoutOutputConfig>& StdoutOutputConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<StdoutOutputConfig>("stdout", "Writes rows to standard output.",
                                         {.example = "type: stdout\nformat: raw"})
          .Field("format", &StdoutOutputConfig::format,
                 {.doc = "json: one object a row with time, body, fields, resource and origin. "
                         "raw: the body and a newline."});
  return schema;
}

Result<std::unique_ptr<pipeline::Output>> StdoutOutput::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  return std::unique_ptr<pipeline::Output>(std::make_unique<StdoutOutput>(config, context));
}

StdoutOutput::StdoutOutput(const Config& config, const pipeline::ComponentContext& context, int fd)
    : config_(config),
      env_(context.env()),
      fd_(fd),
      chunk_bytes_(ChunkBytes(fd)),
      sent_rows_(AddSentRows(context)),
      sent_bytes_(AddSentBytes(context)),
      queue_bytes_gauge_(
          context.AddGauge("output_queue_bytes", "Bytes that wait to be written or sent.")) {}

StdoutOutput::~StdoutOutput() { Stop(0s); }

Status StdoutOutput::Start(pipeline::OutputHost& host) {
  host_ = &host;
  IgnoreBrokenPipeSignal();
  MutexLock lock(mu_);
  stopping_ = false;
  return OkStatus();
}

bool StdoutOutput::HasRoom() const {
  return queue_bytes_.load(std::memory_order_relaxed) < kQueueBytesMax;
}

void StdoutOutput::Write(SharedBatch batch, pipeline::Ack ack) {
  Item item{{}, batch->selected_count(), std::move(ack)};
  AppendRows(*batch, config_.format, env_.clock().Now(), item.text);
  batch.reset();
  queue_bytes_gauge_.Set(static_cast<int64_t>(queue_bytes_ += item.text.size()));
  MutexLock lock(mu_);
  queue_.push_back(std::move(item));
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  wake_.NotifyOne();
}

void StdoutOutput::Run() {
  Item item;
  while (Next(item)) {
    const size_t bytes = item.text.size();
    if (WriteAll(item.text.view())) {
      sent_rows_.Add(item.rows);
      sent_bytes_.Add(bytes);
      item.ack.Done();
    }
    item = Item();
    Return(bytes);
  }
}

void StdoutOutput::Return(size_t bytes) {
  const size_t before = queue_bytes_.fetch_sub(bytes);
  queue_bytes_gauge_.Set(static_cast<int64_t>(before - bytes));
  if (before >= kQueueBytesMax && before - bytes < kQueueBytesMax) host_->RoomAvailable();
}

bool StdoutOutput::Next(Item& item) {
  MutexLock lock(mu_);
  while (queue_.empty() && !stopping_) wake_.Wait(mu_);
  if (queue_.empty() || (stopping_ && env_.clock().Monotonic() > stop_by_)) return false;
  item = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

bool StdoutOutput::WriteAll(std::string_view text) {
  while (!text.empty()) {
    pollfd target = {fd_, POLLOUT, 0};
    const int ready = ::poll(&target, 1, kPollMs);
    if (ready == 0 || (ready < 0 && errno == EINTR)) {
      if (TimeIsUp()) return false;
      continue;
    }
    const ssize_t n = ::write(fd_, text.data(), std::min(text.size(), chunk_bytes_));
    if (n >= 0) {
      text.remove_prefix(static_cast<size_t>(n));
    } else if (errno != EINTR && errno != EAGAIN && !WaitForReader(errno)) {
      return false;
    }
  }
  return true;
}

bool StdoutOutput::WaitForReader(int error) {
  if (error == EPIPE) {
    LOG_RATE(kMessagePeriod, kError,
             "output stdout: whoever read standard output has closed it; rows wait and nothing is "
             "lost, start the agent again with a reader");
  } else {
    LOG_RATE(kMessagePeriod, kError, "output stdout: {}; rows wait and nothing is lost",
             ErrnoError("cannot write to standard output", error).message());
  }
  MutexLock lock(mu_);
  const Duration until = env_.clock().Monotonic() + kRetryPeriod;
  for (;;) {
    const Duration now = env_.clock().Monotonic();
    if (stopping_) return false;
    if (now >= until) return true;
    wake_.WaitFor(mu_, until - now);
  }
}

bool StdoutOutput::TimeIsUp() {
  MutexLock lock(mu_);
  return stopping_ && env_.clock().Monotonic() >= stop_by_;
}

void StdoutOutput::Stop(Duration grace) {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    stop_by_ = env_.clock().Monotonic() + grace;
    wake_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
  std::deque<Item> left;
  {
    MutexLock lock(mu_);
    left.swap(queue_);
  }
  for (const Item& item : left) queue_bytes_ -= item.text.size();
}

}  // namespace kelp::output
