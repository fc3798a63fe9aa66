// By what a FileSource knows that a file holds what was read or seen of it.
#include <algorithm>

#include "tail/file_source.h"

namespace kelp::tail {
namespace {

// What tells files apart that begin with the same lines is within so much.
constexpr uint64_t kTellingMax = 16u << 10;

}  // namespace

void FileSource::CutEvidence(std::string_view head, uint64_t size) {
  MutexLock lock(mu_);
  if (head.size() < identity_.print.bytes) identity_.print = Fingerprint::Of(head);
  if (position_ == 0) ForgetBehind(size);
}

void FileSource::ForgetBehind(uint64_t size) {
  marks_.CutTo(size);
  if (guard_.end > size) guard_ = Guard();
  for (Flight& flight : flights_) {
    if (flight.guard.end > size) flight.guard = Guard();
  }
}

std::pair<Fingerprint, Guard> FileSource::Evidence() const {
  MutexLock lock(mu_);
  return {identity_.print, guard_};
}

Marks FileSource::marks() const {
  MutexLock lock(mu_);
  return marks_;
}

Result<bool> FileSource::SeeHead(File& file) {
  const Fingerprint known = Evidence().first;
  if (known.complete() || packed() != nullptr) return true;
  ASSIGN_OR_RETURN(const Head head, ReadHead(file));
  if (!known.Matches(head)) return false;
  MutexLock lock(mu_);
  // Service and reading thread may look at once, and the file be emptied between the two.
  if (identity_.print.bytes != known.bytes) return true;
  if (identity_.print.bytes < head.size()) identity_.print = Fingerprint::Of(head);
  nuls_ = head.at;
  marks_.See(head.at, head);
  return true;
}

void FileSource::SeeBehindHead(bool all) {
  const std::shared_ptr<File> open = file();
  if (open == nullptr || packed() != nullptr || position_ != 0) return;
  const Result<FileInfo> info = open->Stat();
  const uint64_t end = info.ok() ? std::min(info->size, kTellingMax) : 0;
  if (end <= Evidence().first.bytes) return;
  const uint64_t from = all ? 0 : end - Guard::BytesBefore(end);
  std::string bytes(end - from, '\0');
  const Result<size_t> n = open->ReadAt(from, bytes.data(), bytes.size());
  // Where there are NULs, text may be written yet.
  if (!n.ok() || *n < bytes.size() || bytes.back() == '\0') return;
  // Unless it was emptied and filled anew since.
  const Result<Head> head = ReadHead(*open);
  MutexLock lock(mu_);
  if (flights_.size() != 1 || position_ != 0) return;
  if (!head.ok() || !identity_.print.Matches(*head)) return;
  if (all) marks_.See(0, bytes);
  guard_ = Guard::Of(end, bytes.data() + bytes.size() - Guard::BytesBefore(end));
  flights_.front().guard = guard_;
}

Result<bool> FileSource::TextBehindHead(File& file) const {
  uint64_t end = 0;
  {
    MutexLock lock(mu_);
    end = nuls_ + identity_.print.bytes;
  }
  ASSIGN_OR_RETURN(const Text text, FindText(file, end));
  return text.state != Text::kNone && text.at > end;
}

void FileSource::Release() {
  {
    MutexLock lock(mu_);
    stored_to_ = packed_ != nullptr ? kNoCut : ReadTo(stored_print_bytes_);
  }
  released_ = true;
}

uint64_t FileSource::ReadTo(uint32_t print_bytes) const {
  return print_bytes >= Fingerprint::kTellingBytes ? kNoCut : nuls_ + print_bytes;
}

bool FileSource::SawMore() const {
  MutexLock lock(mu_);
  return identity_.print.bytes > 0 && stored_to_ < ReadTo(identity_.print.bytes);
}

Result<bool> FileSource::Holds(File& file, uint64_t size) const {
  const auto [print, guard] = Evidence();
  const uint64_t least = std::max<uint64_t>({guard.end, print.bytes, position_});
  if (size < least) {
    // Unless its reader saw it grow since.
    ASSIGN_OR_RETURN(const FileInfo info, file.Stat());
    if (info.size < least) return false;
  }
  if (guard.end != 0) {
    ASSIGN_OR_RETURN(const bool holds, GuardHolds(file, guard));
    return holds ? BeginsAsSeen(file, print) : Result<bool>(false);
  }
  ASSIGN_OR_RETURN(const Head head, ReadHead(file));
  return print.Matches(head);
}

// Two files may begin with the same lines: what was seen behind those that were read tells.
Result<bool> FileSource::BeginsAsSeen(File& file, const Fingerprint& print) const {
  if (position_ >= print.bytes || packed() != nullptr) return true;
  ASSIGN_OR_RETURN(const Head head, ReadHead(file));
  return print.Matches(head);
}

Result<bool> FileSource::Follows(File& file, const Raw& raw) {
  const uint64_t position = position_;
  if (raw.before < Guard::BytesBefore(position)) return false;
  const auto [print, guard] = Evidence();
  if (position == 0) {
    // Nothing was read, but its beginning was seen, perhaps more of it than is stored and read.
    if (raw.size > 0 && (raw.data[0] == '\0' || raw.size < print.bytes)) {
      ASSIGN_OR_RETURN(const Head head, ReadHead(file));
      return print.Matches(head);
    }
    return print.Matches({raw.data, std::min<size_t>(raw.size, Fingerprint::kBytesMax)});
  }
  ASSIGN_OR_RETURN(const bool holds, guard.end == position ? Result<bool>(guard.Matches(raw.data))
                                                           : GuardHolds(file, guard));
  return holds ? BeginsAsSeen(file, print) : Result<bool>(false);
}

Guard FileSource::GuardBehind(File& file, uint64_t end, const Guard (&candidates)[2]) {
  for (const Guard& guard : candidates) {
    if (guard.end == end) return guard;
  }
  // The batch was full in the middle of the chunk: rare enough for a read of its own.
  const Result<Guard> guard = GuardBefore(file, end);
  return guard.ok() ? *guard : Guard();
}

void FileSource::GrowEvidence(File& file, const framing::Chunk& chunk, std::string_view raw) {
  const Fingerprint known = Evidence().first;
  Fingerprint print;
  if (packed() != nullptr || known.complete() || chunk.offset + chunk.size <= known.bytes) {
    // Known well enough.
  } else if (chunk.offset == 0 && chunk.data[0] != '\0') {
    print = Fingerprint::Of({chunk.data, chunk.size});
  } else {
    // Unless the file was emptied this very moment; the next turn sees that.
    const Result<Head> head = ReadHead(file);
    if (!head.ok() || !known.Matches(*head)) return;
    print = Fingerprint::Of(*head);
  }
  MutexLock lock(mu_);
  if (print.bytes > identity_.print.bytes) identity_.print = print;
  marks_.See(chunk.offset + chunk.size - raw.size(), raw);
}

}  // namespace kelp::tail
