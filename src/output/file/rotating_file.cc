#include "output/file/rotating_file.h"

#include <algorithm>
#include <string>
#include <utility>

namespace kelp::output {
namespace {

// Logs often hold what not everybody may read.
constexpr uint32_t kFileMode = 0640;
// Between two looks at whether the path still leads to our file: cheap, and soon enough for people.
constexpr Duration kLookPeriod = 1s;
// Between two tries of a rotation that failed: often a matter of rights, which people must mend.
constexpr Duration kRotateRetry = 30s;
// How far back an unfinished last line is looked for. Longer than any line we write (the input's
// line limit is 16 MiB at most, but such a line would have to be cut off by a kill as well).
constexpr uint64_t kRepairWindow = 1u << 20;

// How a file ends.
struct Tail {
  bool unfinished = false;  // without a newline
  bool found = false;       // the begin of the unfinished line lies within the window
  uint64_t line_begin = 0;
  std::string start;  // the unfinished line's first bytes
};

Result<Tail> ReadTail(FileSystem& files, const std::string& path, uint64_t size) {
  Tail tail;
  if (size == 0) return tail;
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.OpenForRead(path));
  const uint64_t begin = size - std::min(size, kRepairWindow);
  std::string text(size - begin, '\0');
  ASSIGN_OR_RETURN(const size_t n, file->ReadAt(begin, text.data(), text.size()));
  text.resize(n);
  tail.unfinished = !text.empty() && text.back() != '\n';
  if (!tail.unfinished) return tail;
  const size_t newline = text.rfind('\n');
  tail.found = newline != std::string::npos || begin == 0;
  const size_t line = newline == std::string::npos ? 0 : newline + 1;
  tail.line_begin = begin + line;
  tail.start = text.substr(line, 64);
  return tail;
}

bool StartsAlike(std::string_view a, std::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  return a.substr(0, n) == b.substr(0, n);
}

}  // namespace

RotatingFile::RotatingFile(RotatingFileOptions options, FileSystem& files, Clock& clock)
    : options_(std::move(options)), files_(files), clock_(clock) {}

Status RotatingFile::Open() {
  if (file_ != nullptr) return OkStatus();
  RETURN_IF_ERROR(files_.MakeDirs(DirName(options_.path)));
  ASSIGN_OR_RETURN(file_, files_.OpenForWrite(options_.path, /*truncate=*/false, kFileMode));
  Result<FileInfo> info = file_->Stat();
  Status status = info.ok() ? OkStatus() : info.status();
  if (status.ok()) {
    identity_ = *info;
    if (info->type == FileType::kRegular) status = Repair();
  }
  if (!status.ok()) file_.reset();
  look_at_ = clock_.Monotonic() + kLookPeriod;
  names_changed_ = true;
  return status;
}

Status RotatingFile::Repair() {
  ASSIGN_OR_RETURN(const Tail tail, ReadTail(files_, options_.path, identity_.size));
  if (!tail.unfinished) return OkStatus();
  const bool ours = tail.found && !options_.own_line_start.empty() &&
                    StartsAlike(tail.start, options_.own_line_start);
  return ours ? file_->Truncate(tail.line_begin) : file_->Append("\n");
}

Status RotatingFile::Close() {
  if (options_.sync_before_close && file_ != nullptr) RETURN_IF_ERROR(file_->Sync());
  file_.reset();
  return OkStatus();
}

Status RotatingFile::CloseIfMoved() {
  const Duration now = clock_.Monotonic();
  if (file_ == nullptr || now < look_at_) return OkStatus();
  look_at_ = now + kLookPeriod;
  const Result<FileInfo> info = files_.Stat(options_.path);
  const bool same = info.ok() && info->inode == identity_.inode && info->device == identity_.device;
  // A path that cannot be looked at is no reason to give up a descriptor that works.
  if (same || (!info.ok() && info.status().code() != Code::kNotFound)) return OkStatus();
  return Close();
}

Status RotatingFile::Append(std::string_view data) {
  RETURN_IF_ERROR(CloseIfMoved());
  RETURN_IF_ERROR(Open());
  RETURN_IF_ERROR(RotateIfNeeded(data.size()));
  ASSIGN_OR_RETURN(const FileInfo before, file_->Stat());
  Status status = file_->Append(data);
  if (status.ok() || before.type != FileType::kRegular) return status;
  const Result<FileInfo> after = file_->Stat();
  if (after.ok() && after->size > before.size) {
    const Status truncated = file_->Truncate(before.size);
    // The descriptor is opened anew, and Repair() finds the broken line.
    if (!truncated.ok()) file_.reset();
  }
  return status;
}

Status RotatingFile::RotateIfNeeded(size_t more) {
  if (options_.rotate_size.bytes == 0 || identity_.type != FileType::kRegular) return OkStatus();
  ASSIGN_OR_RETURN(const FileInfo info, file_->Stat());
  if (info.size == 0 || info.size + more <= options_.rotate_size.bytes) return OkStatus();
  if (!rotate_status_.ok() && clock_.Monotonic() < rotate_at_) return OkStatus();
  rotate_status_ = Rotate();
  if (!rotate_status_.ok()) {
    rotate_at_ = clock_.Monotonic() + kRotateRetry;
    return OkStatus();
  }
  ++rotations_;
  RETURN_IF_ERROR(Close());
  return Open();
}

Status RotatingFile::Rotate() {
  const auto name = [this](uint32_t n) { return options_.path + "." + std::to_string(n); };
  for (uint32_t n = options_.rotate_keep; n > 1; --n) {
    const Status moved = files_.Rename(name(n - 1), name(n));
    if (!moved.ok() && moved.code() != Code::kNotFound) return moved;
  }
  return files_.Rename(options_.path, name(1));
}

}  // namespace kelp::output
