// Damages the files of a queue as the input says: no crash, and only records that were written come
// out, in order.
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "base/log.h"
#include "spool/disk_queue.h"

namespace kelp::spool {
namespace {

// Files in memory, no more than the queue needs.
class MemoryFiles final : public Env, FileSystem {
 public:
  using Data = std::shared_ptr<std::string>;
  std::map<std::string, Data> all;

  Clock& clock() override { return RealEnv().clock(); }
  FileSystem& files() override { return *this; }
  Random& random() override { return RealEnv().random(); }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override {
    return UnimplementedError("no watcher");
  }

 private:
  class Open final : public File {
   public:
    explicit Open(Data data) : data_(std::move(data)) {}
    Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) override {
      return offset >= data_->size() ? size_t{0} : data_->copy(buffer, size, offset);
    }
    Status Append(std::string_view data) override {
      *data_ += data;
      return OkStatus();
    }
    Status AppendAll(std::span<const std::string_view> pieces) override {
      for (const std::string_view piece : pieces) *data_ += piece;
      return OkStatus();
    }
    Status Sync() override { return OkStatus(); }
    Status Truncate(uint64_t size) override {
      data_->resize(size);
      return OkStatus();
    }
    Result<FileInfo> Stat() override { return FileInfo{.size = data_->size()}; }

   private:
    const Data data_;
  };
  struct NoLock final : FileLock {};

  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
    const auto it = all.find(path);
    if (it == all.end()) return NotFoundError(path);
    return std::unique_ptr<File>(std::make_unique<Open>(it->second));
  }
  Result<std::unique_ptr<File>> OpenForWrite(const std::string& path, bool truncate,
                                             uint32_t) override {
    Data& data = all[path];
    if (data == nullptr || truncate) data = std::make_shared<std::string>();
    return std::unique_ptr<File>(std::make_unique<Open>(data));
  }
  Result<FileInfo> Stat(const std::string&, bool) override { return FileInfo{}; }
  Result<std::vector<DirEntry>> ListDir(const std::string& path) override {
    std::vector<DirEntry> entries;
    for (const auto& [name, data] : all) {
      if (name.starts_with(path + "/")) {
        entries.push_back({name.substr(path.size() + 1), FileType::kRegular});
      }
    }
    return entries;
  }
  Result<std::string> ReadLink(const std::string& path) override { return NotFoundError(path); }
  Status MakeDirs(const std::string&, uint32_t) override { return OkStatus(); }
  Status Rename(const std::string& from, const std::string& to) override {
    all[to] = all[from];
    all.erase(from);
    return OkStatus();
  }
  Status Remove(const std::string& path) override {
    return all.erase(path) == 0 ? NotFoundError(path) : OkStatus();
  }
  Status RemoveTree(const std::string&) override { return OkStatus(); }
  Status SyncDir(const std::string&) override { return OkStatus(); }
  Result<std::unique_ptr<FileLock>> Lock(const std::string&) override {
    return std::unique_ptr<FileLock>(std::make_unique<NoLock>());
  }
  Result<DiskSpace> Space(const std::string&) override { return DiskSpace{1_GiB, 1_GiB}; }
};

constexpr const char* kDir = "/spool";
constexpr uint64_t kRecords = 12;

std::string PayloadOf(uint64_t sequence) {
  return std::to_string(sequence) + std::string(sequence * 37, static_cast<char>('a' + sequence));
}

// Three segments of four records; five are done with.
std::map<std::string, std::string> WholeQueue() {
  MemoryFiles env;
  for (uint64_t sequence = 1; sequence <= kRecords; ++sequence) {
    auto queue = DiskQueue::Open(env, {.dir = kDir}, [](const Loss&) {});
    if (!queue.ok()) std::abort();
    for (uint64_t last = sequence + 3; sequence <= last; ++sequence) {
      const std::string payload = PayloadOf(sequence);
      const NewRecord record{.payload = payload, .rows = 1, .time = 1};
      if (!(*queue)->Append({&record, 1}).ok()) std::abort();
    }
    --sequence;
    (*queue)->Acknowledge({.sequence = 3, .row = 2});
    if (!(*queue)->Close().ok()) std::abort();
  }
  std::map<std::string, std::string> files;
  for (const auto& [path, data] : env.all) files[path] = *data;
  return files;
}

// Several windows of the reader. More would only be slow: a file that is doubled with every five
// bytes of input takes gigabytes.
constexpr size_t kFileBytesMax = 256u << 10;

// Each five bytes: which file, where (2), what (2).
void Damage(MemoryFiles& env, const uint8_t* data, size_t size) {
  for (; size >= 5 && !env.all.empty(); data += 5, size -= 5) {
    auto it = env.all.begin();
    std::advance(it, data[0] % env.all.size());
    std::string& bytes = *it->second;
    const size_t at = bytes.empty() ? 0 : (data[1] | data[2] << 8) % bytes.size();
    switch (data[3] % 8) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.erase(at, data[4]);
        break;
      case 2:
        bytes.insert(at, data[4], '\0');
        break;
      case 3:
        if (bytes.size() < kFileBytesMax) bytes += bytes.substr(at);
        break;
      case 4:
        env.all.erase(it);
        break;
      case 5:
        bytes.insert(at, bytes.substr(0, data[4] * 16u));
        break;
      default:
        if (!bytes.empty()) bytes[at] = static_cast<char>(data[4]);
    }
  }
}

void ReadAll(MemoryFiles& env) {
  auto queue = DiskQueue::Open(env, {.dir = kDir}, [](const Loss&) {});
  if (!queue.ok()) return;
  uint64_t last = 0;
  for (;;) {
    const auto record = (*queue)->Read();
    if (!record.ok() || !*record) break;
    const uint64_t sequence = (*record)->sequence;
    if (sequence <= last || sequence > kRecords) std::abort();
    if ((*record)->payload != PayloadOf(sequence)) std::abort();
    last = sequence;
  }
  // It must go on working: what is appended now comes out.
  const NewRecord record{.payload = "new", .rows = 1, .time = 1};
  if (!(*queue)->Append({&record, 1}).ok()) std::abort();
  const auto read = (*queue)->Read();
  if (!read.ok() || !*read || (*read)->payload != "new") std::abort();
  (*queue)->Acknowledge((*read)->next);
  if (!(*queue)->Close().ok()) std::abort();
}

}  // namespace
}  // namespace kelp::spool

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::spool;
  static const bool quiet = [] {
    kelp::SetLogOptions({.level = kelp::LogLevel::kError});
    return true;
  }();
  static const std::map<std::string, std::string> whole = WholeQueue();
  MemoryFiles env;
  for (const auto& [path, bytes] : whole) env.all[path] = std::make_shared<std::string>(bytes);
  Damage(env, data, quiet ? size : 0);
  ReadAll(env);
  return 0;
}
