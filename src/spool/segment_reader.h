// SegmentReader: finds whole records in one segment file, whatever else is in it.
#ifndef KELP_SPOOL_SEGMENT_READER_H_
#define KELP_SPOOL_SEGMENT_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/env.h"
#include "spool/spool_format.h"

namespace kelp::spool {

// Goes from head to head; where no head stands it looks for the next one.
//
// Place:    DiskQueue reads and recovers with it.
// Owns:     the descriptor and a window of at most kWindowBytes.
// Threads:  thread-compatible.
// Errors:   those of reading the file. Bytes that are no record are no error: they are counted in
//           skipped_bytes().
// Format:   docs/formats/spool.md
// Tests:    disk_queue_test.cc, spool_fuzz.cc
class SegmentReader {
 public:
  static constexpr size_t kWindowBytes = 64u << 10;

  static Result<std::unique_ptr<SegmentReader>> Open(FileSystem& files, const std::string& path,
                                                     uint64_t first_sequence);

  // Errors: see ParseSegmentHeader.
  Result<Position> ReadHeader();
  // The first head at or behind the place, whose record ends at or before `limit`; the place is
  // then behind that record. False when there is none.
  Result<bool> NextHead(uint64_t limit, RecordHead& head);
  // False when the payload is not what the head says.
  Result<bool> ReadPayload(const RecordHead& head, std::string& payload);
  // Bytes that NextHead passed over because they were no records.
  uint64_t skipped_bytes() const { return skipped_; }
  Result<uint64_t> FileSize();

 private:
  SegmentReader(std::unique_ptr<File> file, uint64_t first_sequence)
      : file_(std::move(file)), first_sequence_(first_sequence) {}
  // Bytes from `offset` on, at least `size` of them where `limit` allows; good until the next call.
  Result<std::string_view> Fetch(uint64_t offset, size_t size, uint64_t limit);

  const std::unique_ptr<File> file_;
  const uint64_t first_sequence_;
  uint64_t place_ = kSegmentHeaderBytes;
  uint64_t skipped_ = 0;
  std::string window_;
  uint64_t window_at_ = 0;
};

}  // namespace kelp::spool

#endif  // KELP_SPOOL_SEGMENT_READER_H_
