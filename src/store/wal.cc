#include "store/wal.h"

#include <algorithm>

#include "store/bytes.h"
#include "store/layout.h"
#include "store/wal_format.h"

namespace kelp::store {

std::string WalName(uint64_t number) { return NumberedName(number, ".wal"); }
bool ParseWalName(std::string_view name, uint64_t& number) {
  return ParseNumberedName(name, ".wal", number);
}

Wal::Wal(Env& env, std::string dir) : env_(env), dir_(std::move(dir)) {}

std::string Wal::PathOf(uint64_t number) const { return JoinPath(dir_, WalName(number)); }

Status Wal::Replay(const std::function<void(const WalFrame&)>& on_frame, WalReport& report) {
  std::map<uint64_t, FileState> found;
  std::vector<uint64_t> unmade;
  RETURN_IF_ERROR(ReadWalFiles(
      env_.files(), dir_,
      [&](uint64_t number, const WalFrame& frame) {
        found[number].last_of_logstore[frame.logstore_id] = frame.sequence;
        sequence_ = frame.sequence;
        on_frame(frame);
      },
      [&](const WalFileRead& file) {
        if (file.unmade) {
          unmade.push_back(file.number);
          return;
        }
        found[file.number].number = file.number;
        found[file.number].size = file.size;
      },
      report));
  for (const uint64_t number : unmade) RETURN_IF_ERROR(env_.files().Remove(PathOf(number)));
  MutexLock lock(mu_);
  for (auto& [number, state] : found) files_.push_back(std::move(state));
  return OkStatus();
}

Status Wal::StartFile() {
  FileState next;
  WalHeader header;
  {
    MutexLock lock(mu_);
    if (!files_.empty()) {
      header.previous = files_.back().number;
      header.previous_size = files_.back().size;
    }
  }
  next.number = header.previous + 1;
  std::string head(kWalMagic);
  PutU32(head, kWalVersion);
  PutU32(head, 0);
  PutU64(head, next.number);
  PutU64(head, header.previous);
  PutU64(head, header.previous_size);
  PutU64(head, sequence_ + 1);
  PutU64(head, Checksum(head));
  const std::string path = PathOf(next.number);
  // A file that a failed start left behind is begun anew.
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, env_.files().OpenForWrite(path, /*truncate=*/true));
  Status status = file->Append(head);
  if (status.ok()) status = file->Sync();
  if (status.ok()) status = env_.files().SyncDir(dir_);
  if (!status.ok()) {
    file.reset();
    env_.files().Remove(path).IgnoreError();
    return status;
  }
  next.size = head.size();
  file_ = std::move(file);
  MutexLock lock(mu_);
  files_.push_back(std::move(next));
  return OkStatus();
}

void Wal::EncodeFrame(const WalFrame& frame, std::string& head) const {
  std::string names;
  names += static_cast<char>(frame.project.size());
  names += frame.project;
  names += static_cast<char>(frame.logstore.size());
  names += frame.logstore;
  // The payload's checksum goes over two pieces of memory; joining the small one avoids a copy of
  // the large one.
  PutU32(head, kFrameMagic);
  PutU32(head, static_cast<uint32_t>(names.size() + frame.encoded.size()));
  PutU64(head, frame.sequence);
  {
    MutexLock lock(mu_);
    PutU64(head, files_.back().size);
  }
  PutU64(head, static_cast<uint64_t>(frame.time));
  PutU64(head, frame.logstore_id);
  PutU64(head, Checksum(names, frame.encoded));
  PutU64(head, Checksum(head));
  head += names;
}

Status Wal::Append(std::span<WalFrame> frames) {
  bool full = false;
  {
    MutexLock lock(mu_);
    full = !files_.empty() && files_.back().size >= kFileBytesMax;
  }
  if (full) file_.reset();
  if (file_ == nullptr) {
    RETURN_IF_ERROR(StartFile().Annotate("cannot begin a file of the write-ahead log"));
  }
  std::vector<std::string> heads(frames.size());
  std::vector<std::string_view> pieces;
  std::map<uint64_t, uint64_t> last;
  uint64_t bytes = 0;
  uint64_t sequence = sequence_;
  for (size_t i = 0; i < frames.size(); ++i) {
    frames[i].sequence = ++sequence;
    EncodeFrame(frames[i], heads[i]);
    pieces.push_back(heads[i]);
    pieces.push_back(frames[i].encoded);
    bytes += heads[i].size() + frames[i].encoded.size();
    last[frames[i].logstore_id] = sequence;
  }
  Status status = file_->AppendAll(pieces);
  if (status.ok()) status = file_->Sync();
  if (!status.ok()) {
    Abandon();
    return status.Annotate("cannot write the write-ahead log");
  }
  sequence_ = sequence;
  MutexLock lock(mu_);
  files_.back().size += bytes;
  for (const auto& [id, seq] : last) files_.back().last_of_logstore[id] = seq;
  return OkStatus();
}

// Best effort: what counts is that the next file's header says where this one ends.
void Wal::Abandon() {
  uint64_t size;
  {
    MutexLock lock(mu_);
    size = files_.back().size;
  }
  file_->Truncate(size).IgnoreError();
  file_->Sync().IgnoreError();
  file_.reset();
}

Status Wal::RemoveObsolete(const std::function<bool(uint64_t, uint64_t)>& keep) {
  std::vector<uint64_t> obsolete;
  {
    MutexLock lock(mu_);
    // Oldest first and without gaps, so that each file's successor stays known.
    while (files_.size() > 1) {
      const FileState& oldest = files_.front();
      const bool needed =
          std::any_of(oldest.last_of_logstore.begin(), oldest.last_of_logstore.end(),
                      [&](const auto& entry) { return keep(entry.first, entry.second); });
      if (needed) break;
      obsolete.push_back(oldest.number);
      files_.erase(files_.begin());
    }
  }
  for (const uint64_t number : obsolete) {
    const Status status = env_.files().Remove(PathOf(number));
    if (!status.ok() && status.code() != Code::kNotFound) return status;
  }
  return OkStatus();
}

std::vector<uint64_t> Wal::Pinning(uint64_t bytes_max,
                                   const std::function<bool(uint64_t, uint64_t)>& keep) const {
  std::vector<uint64_t> ids;
  MutexLock lock(mu_);
  uint64_t total = 0;
  for (const FileState& file : files_) total += file.size;
  if (total <= bytes_max || files_.empty()) return ids;
  for (const auto& [id, sequence] : files_.front().last_of_logstore) {
    if (keep(id, sequence)) ids.push_back(id);
  }
  return ids;
}

uint64_t Wal::bytes() const {
  MutexLock lock(mu_);
  uint64_t total = 0;
  for (const FileState& file : files_) total += file.size;
  return total;
}

}  // namespace kelp::store
