#include "output/file/file_output.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "output/common/sent_counters.h"

namespace kelp::output {
namespace {

// Text that waits while one write is under way. A few turns' worth: more would only move the queue
// from the disk into memory.
constexpr size_t kQueueBytesMax = 4u << 20;
// Warm buffers: one being filled, one being written. Larger ones are freed.
constexpr size_t kSpareBuffersMax = 2;
constexpr size_t kSpareBytesMax = 1u << 20;
constexpr Duration kRetryFirst = 200ms;
constexpr Duration kRetryLongest = 10s;
constexpr Duration kMessagePeriod = 30s;
constexpr std::string_view kJsonLineStart = "{\"time\":";

RotatingFileOptions FileOptions(const FileOutputConfig& config) {
  return {.path = config.path,
          .rotate_size = config.rotate_size,
          .rotate_keep = config.rotate_keep,
          .own_line_start = config.format == RowFormat::kJson ? kJsonLineStart : "",
          .sync_before_close = config.sync != FileSyncMode::kNone};
}

const char* Advice(const Status& status) {
  switch (status.code()) {
    case Code::kResourceExhausted:
      return "free space on that disk";
    case Code::kPermissionDenied:
      return "give the agent the right to write there";
    default:
      return "check the path and its disk";
  }
}

}  // namespace

const config::Schema<FileOutputConfig>& FileOutputConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<FileOutputConfig>(
          "file", "Writes rows to a file on this machine, as JSON lines or as they are.",
          {.example = "type: file\npath: /var/lib/kelp/copy.log\nformat: raw"})
          .Field("path", &FileOutputConfig::path,
                 {.doc = "The file. It is made when it is missing, its directories too, and "
                         "appended to when it is there.",
                  .required = true,
                  .example = "/var/lib/kelp/copy.log"})
          .Field("format", &FileOutputConfig::format,
                 {.doc = "json: one object a row with time, body, fields, resource and origin. "
                         "raw: the body and a newline."})
          .Field("rotate_size", &FileOutputConfig::rotate_size,
                 {.doc = "The file is renamed to PATH.1 before it grows past this size, PATH.1 to "
                         "PATH.2 and so on. 0: never."})
          .Field("rotate_keep", &FileOutputConfig::rotate_keep,
                 {.doc = "How many rotated files stay.", .min = 1, .max = 1000})
          .Field("sync", &FileOutputConfig::sync,
                 {.doc = "none: rows are acknowledged when the system took them, and a power cut "
                         "may lose the last seconds. interval: rows are acknowledged when they "
                         "are on the disk."})
          .Field(
              "sync_interval", &FileOutputConfig::sync_interval,
              {.doc = "With sync: interval, the pause between two syncs.", .min = 10ms, .max = 1h})
          .Check([](const FileOutputConfig& c, config::CheckContext& context) {
            if (c.path.empty()) context.Fail("path", "must not be empty");
            if (!c.path.empty() && c.path.back() == '/') {
              context.Fail("path", "names a directory; give a file in it");
            }
          });
  return schema;
}

Result<std::unique_ptr<pipeline::Output>> FileOutput::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  return std::unique_ptr<pipeline::Output>(std::make_unique<FileOutput>(config, context));
}

FileOutput::FileOutput(const Config& config, const pipeline::ComponentContext& context)
    : config_(config),
      env_(context.env()),
      sent_rows_(AddSentRows(context)),
      sent_bytes_(AddSentBytes(context)),
      retries_(context.AddCounter("output_retries_total",
                                  "Tries that failed and will be made again, by reason.",
                                  {{"reason", "write"}})),
      rotations_(context.AddCounter("output_rotations_total", "Rotations of the file.")),
      queue_bytes_gauge_(
          context.AddGauge("output_queue_bytes", "Bytes that wait to be written or sent.")),
      file_(FileOptions(config), context.env().files(), context.env().clock()),
      rotate_gate_(kMessagePeriod),
      backoff_(kRetryFirst, kRetryLongest, context.env().random()),
      gate_(kMessagePeriod) {}

FileOutput::~FileOutput() { Stop(0s); }

Status FileOutput::Start(pipeline::OutputHost& host) {
  host_ = &host;
  RETURN_IF_ERROR(file_.Open().Annotate("output file"));
  MutexLock lock(mu_);
  stopping_ = false;
  if (config_.sync != FileSyncMode::kNone) StartThread();
  return OkStatus();
}

bool FileOutput::HasRoom() const {
  return !failing_.load(std::memory_order_relaxed) &&
         queue_bytes_.load(std::memory_order_relaxed) < kQueueBytesMax;
}

codec::ByteBuffer FileOutput::TakeBuffer() {
  MutexLock lock(mu_);
  if (spare_.empty()) return {};
  codec::ByteBuffer buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void FileOutput::Write(SharedBatch batch, pipeline::Ack ack) {
  Item item{TakeBuffer(), batch->selected_count(), std::move(ack)};
  AppendRows(*batch, config_.format, env_.clock().Now(), item.text);
  batch.reset();
  queue_bytes_gauge_.Set(static_cast<int64_t>(queue_bytes_ += item.text.size()));
  {
    MutexLock lock(mu_);
    queue_.push_back(std::move(item));
    if (writing_ || failing_) return;
    writing_ = true;
  }
  Drain();
}

void FileOutput::Drain() {
  for (;;) {
    std::deque<Item> items = TakeQueue();
    if (items.empty()) return;
    Status status;
    const size_t written = WriteItems(items, status);
    if (written == items.size()) continue;
    MutexLock lock(mu_);
    while (items.size() > written) {
      queue_.push_front(std::move(items.back()));
      items.pop_back();
    }
    Failed(status);
    writing_ = false;
    return;
  }
}

std::deque<FileOutput::Item> FileOutput::TakeQueue() {
  std::deque<Item> items;
  bool recovered = false;
  {
    MutexLock lock(mu_);
    items.swap(queue_);
    if (!items.empty()) return items;
    writing_ = false;
    recovered = failing_.exchange(false);
    if (!recovered) return items;
    backoff_.Reset();
    if (std::exchange(complained_, false)) {
      LOG(kInfo, "output file: writing to {} works again", file_.path());
    }
  }
  host_->RoomAvailable();
  return items;
}

size_t FileOutput::WriteItems(std::deque<Item>& items, Status& status) {
  size_t written = 0;
  for (Item& item : items) {
    status = file_.Append(item.text.view());
    if (!status.ok()) break;
    ReportRotation();
    Written(item);
    ++written;
  }
  return written;
}

void FileOutput::Written(Item& item) {
  const size_t bytes = item.text.size();
  sent_rows_.Add(item.rows);
  sent_bytes_.Add(bytes);
  const size_t before = queue_bytes_.fetch_sub(bytes);
  queue_bytes_gauge_.Set(static_cast<int64_t>(before - bytes));
  item.text.Clear();
  item.text.Shrink(kSpareBytesMax);
  pipeline::Ack ack = std::move(item.ack);
  {
    MutexLock lock(mu_);
    if (spare_.size() < kSpareBuffersMax) spare_.push_back(std::move(item.text));
    if (config_.sync != FileSyncMode::kNone) {
      unsynced_.push_back(std::move(ack));
      sync_handle_ = file_.handle();
      sync_names_ |= file_.TakeNamesChanged();
      if (unsynced_.size() == 1) {
        sync_at_ = env_.clock().Monotonic() + config_.sync_interval;
        wake_.NotifyOne();
      }
    }
  }
  ack.Done();  // Without effect when it was moved to unsynced_.
  if (before >= kQueueBytesMax && before - bytes < kQueueBytesMax) host_->RoomAvailable();
}

void FileOutput::Failed(const Status& status) {
  const Duration now = env_.clock().Monotonic();
  failing_ = true;
  retries_.Add();
  retry_at_ = now + backoff_.Next();
  if (gate_.Pass(now)) {
    complained_ = true;
    LOG(kError, "output file: {}; nothing is lost, it will be tried again ({})", status.message(),
        Advice(status));
  }
  StartThread();
  wake_.NotifyOne();
}

void FileOutput::ReportRotation() {
  rotations_.Add(file_.rotations() - std::exchange(rotations_seen_, file_.rotations()));
  const Status& status = file_.rotate_status();
  if (status.ok()) {
    rotate_gate_.Reset();
  } else if (rotate_gate_.Pass(env_.clock().Monotonic())) {
    LOG(kWarning, "output file: cannot rotate: {}; the file grows past rotate_size until it can",
        status.message());
  }
}

void FileOutput::StartThread() {
  if (!thread_.joinable()) thread_ = std::thread([this] { RunThread(); });
}

void FileOutput::RunThread() {
  for (;;) {
    switch (NextWork()) {
      case Work::kDrain:
        Drain();
        break;
      case Work::kSync:
        SyncWritten();
        break;
      case Work::kEnd:
        return;
    }
  }
}

FileOutput::Work FileOutput::NextWork() {
  MutexLock lock(mu_);
  for (;;) {
    const Duration now = env_.clock().Monotonic();
    Duration due = stopping_ ? stop_by_ : Duration::max();
    if (failing_ && !writing_) {
      if (now >= retry_at_) {
        writing_ = true;
        return Work::kDrain;
      }
      due = std::min(due, retry_at_);
    }
    if (!unsynced_.empty()) {
      if (now >= sync_at_) return Work::kSync;
      due = std::min(due, sync_at_);
    }
    const bool idle = !failing_ && unsynced_.empty();
    if (stopping_ && (idle || now >= stop_by_)) return Work::kEnd;
    if (due == Duration::max()) {
      wake_.Wait(mu_);
    } else {
      wake_.WaitFor(mu_, due - now);
    }
  }
}

void FileOutput::SyncWritten() {
  std::vector<pipeline::Ack> acks;
  std::shared_ptr<File> handle;
  bool names = false;
  {
    MutexLock lock(mu_);
    if (unsynced_.empty()) return;
    acks.swap(unsynced_);
    handle = sync_handle_;
    names = std::exchange(sync_names_, false);
  }
  Status status = handle->Sync();
  if (status.ok() && names) status = env_.files().SyncDir(DirName(config_.path));
  if (status.ok()) {
    for (pipeline::Ack& ack : acks) ack.Done();
    return;
  }
  MutexLock lock(mu_);
  sync_names_ |= names;
  unsynced_.insert(unsynced_.begin(), std::make_move_iterator(acks.begin()),
                   std::make_move_iterator(acks.end()));
  retries_.Add();
  const Duration now = env_.clock().Monotonic();
  sync_at_ = now + std::max(config_.sync_interval, kRetryFirst);
  if (gate_.Pass(now)) {
    LOG(kError, "output file: {}; rows stay unacknowledged until a sync succeeds ({})",
        status.message(), Advice(status));
  }
}

void FileOutput::Stop(Duration grace) {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    // Whatever waits gets its last try at once.
    retry_at_ = sync_at_ = env_.clock().Monotonic();
    stop_by_ = retry_at_ + grace;
    wake_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
  std::deque<Item> dropped;
  std::vector<pipeline::Ack> unsynced;
  {
    MutexLock lock(mu_);
    dropped.swap(queue_);
    unsynced.swap(unsynced_);
    sync_handle_.reset();
  }
  for (const Item& item : dropped) queue_bytes_ -= item.text.size();
  failing_ = false;
}

}  // namespace kelp::output
