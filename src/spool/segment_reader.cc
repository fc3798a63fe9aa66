#include "spool/segment_reader.h"

#include <algorithm>

namespace kelp::spool {
namespace {
// The first bytes of a record, to look for after damage.
constexpr std::string_view kMagicBytes = "KSR1";
}  // namespace

Result<std::unique_ptr<SegmentReader>> SegmentReader::Open(FileSystem& files,
                                                           const std::string& path,
                                                           uint64_t first_sequence) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, files.OpenForRead(path));
  return std::unique_ptr<SegmentReader>(new SegmentReader(std::move(file), first_sequence));
}

Result<uint64_t> SegmentReader::FileSize() {
  ASSIGN_OR_RETURN(const FileInfo info, file_->Stat());
  return info.size;
}

Result<Position> SegmentReader::ReadHeader() {
  ASSIGN_OR_RETURN(const std::string_view bytes,
                   Fetch(0, kSegmentHeaderBytes, kSegmentHeaderBytes));
  return ParseSegmentHeader(bytes, first_sequence_);
}

Result<std::string_view> SegmentReader::Fetch(uint64_t offset, size_t size, uint64_t limit) {
  if (offset >= limit) return std::string_view();
  const uint64_t wanted = std::min<uint64_t>(size, limit - offset);
  if (offset < window_at_ || offset + wanted > window_at_ + window_.size()) {
    // Never past the limit: what stands there may still change.
    window_.resize(std::min<uint64_t>(std::max(size, kWindowBytes), limit - offset));
    const Result<size_t> read = file_->ReadAt(offset, window_.data(), window_.size());
    window_.resize(read.ok() ? *read : 0);
    window_at_ = offset;
    if (!read.ok()) return read.status();
  }
  return std::string_view(window_).substr(static_cast<size_t>(offset - window_at_));
}

Result<bool> SegmentReader::NextHead(uint64_t limit, RecordHead& head) {
  while (place_ + kRecordHeadBytes <= limit) {
    ASSIGN_OR_RETURN(const std::string_view bytes, Fetch(place_, kRecordHeadBytes, limit));
    if (bytes.size() < kRecordHeadBytes) break;  // the file is shorter than it should be
    head.offset = place_;
    if (ParseRecordHead(bytes, first_sequence_, head) && head.end() <= limit) {
      place_ = head.end();
      return true;
    }
    // On to where the next one could begin; the last bytes of the window may be a part of it.
    const size_t found = bytes.find(kMagicBytes, 1);
    const size_t step =
        found != std::string_view::npos ? found : bytes.size() - kMagicBytes.size() + 1;
    place_ += step;
    skipped_ += step;
  }
  if (place_ < limit) skipped_ += limit - place_;
  place_ = std::max(place_, limit);
  return false;
}

Result<bool> SegmentReader::ReadPayload(const RecordHead& head, std::string& payload) {
  payload.resize(head.size);
  const uint64_t at = head.offset + kRecordHeadBytes;
  // Small records come out of the window that the head was found in.
  if (at >= window_at_ && head.end() <= window_at_ + window_.size()) {
    payload.assign(window_, static_cast<size_t>(at - window_at_), head.size);
  } else {
    ASSIGN_OR_RETURN(const size_t read, file_->ReadAt(at, payload.data(), payload.size()));
    payload.resize(read);
  }
  return payload.size() == head.size &&
         PayloadChecksum(payload, first_sequence_) == head.payload_checksum;
}

}  // namespace kelp::spool
