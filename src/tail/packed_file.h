// PackedFile: a gzip or zstd file, read as what is packed in it.
//
// Several gzip members or zstd frames after each other are one text. What a compressor has not
// written yet is not there yet: reads end before it, and Stat says that there is more as soon as
// the file has grown.
//
// Place:    TailService makes one for a file that was compressed before it was read to its end.
// Owns:     the packed file, jointly.
// Threads:  thread-safe: one lock around everything.
// Limits:   keeps what was read last and what lies behind it, about a turn; a step back further
// than
//           that unpacks from the beginning. SkipTo unpacks kSkipBytes at most. zstd windows beyond
//           128 MiB are refused.
// Errors:   kDataLoss for damage; what lies before it was given out. Writing: kUnimplemented.
// Tests:    packed_file_test.cc, packed_file_fuzz.cc
#ifndef KELP_TAIL_PACKED_FILE_H_
#define KELP_TAIL_PACKED_FILE_H_

#include <memory>
#include <optional>
#include <string>

#include "base/env.h"
#include "base/sync.h"
#include "tail/checkpoint.h"

namespace kelp::tail {

// How a file is packed that begins so; kNone also for what cannot be unpacked here.
Packing PackingOf(std::string_view head);

class Unpacker;

class PackedFile final : public File {
 public:
  // About 20 ms of work.
  static constexpr uint64_t kSkipBytes = 8u << 20;

  // `path` for messages. REQUIRES: `packing` is not kNone.
  PackedFile(std::shared_ptr<File> file, Packing packing, std::string path);
  ~PackedFile() override;

  // The text is known to have had so much: Stat guesses no less while its end was not reached.
  void Expect(uint64_t size);
  // As ReadAt(offset) would have to, but no more than kSkipBytes of it: true when `offset`, or as
  // far as it goes, is reached.
  Result<bool> SkipTo(uint64_t offset);
  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) override;
  // That of the packed file, with the size of the text: exact when its end was reached or it breaks
  // off behind what was expected, else a guess that is above what was unpacked. A damaged file that
  // was written to since is tried again.
  Result<FileInfo> Stat() override;
  // The size of the text as the packed file has it, for what has a single part; none where it does
  // not tell. gzip tells it modulo 2^32 (RFC 1952, 2.3.1): of the sizes that so many packed bytes
  // can hold, the first that is not below `at_least` is taken, where there is one.
  std::optional<uint64_t> TextSize(uint64_t at_least) const;
  // The packed file ends before the text does.
  bool incomplete() const;
  struct Break {
    uint64_t at = 0;       // the text ends there
    bool damaged = false;  // what follows cannot be unpacked; else the packed file ends too early
    bool single = false;   // all of it is in one part
  };
  // Where the text breaks off as far as the packed file goes now; none: it was not unpacked that
  // far, or ends as it should.
  std::optional<Break> broken() const;
  // Stat tells the size and does not guess it, unless more was expected.
  bool exact() const;

  Status Append(std::string_view data) override;
  Status AppendAll(std::span<const std::string_view> pieces) override;
  Status Sync() override { return OkStatus(); }
  Status Truncate(uint64_t size) override;

 private:
  void Restart() REQUIRES(mu_);
  bool breaks() const REQUIRES(mu_) { return damaged_ || (starved_ && !ended_); }
  // Unpacks until the window reaches `end`, or there is no more. Drops what is before `keep`.
  Status UnpackTo(uint64_t keep, uint64_t end) REQUIRES(mu_);
  Status Fill() REQUIRES(mu_);

  const std::shared_ptr<File> file_;
  const Packing packing_;
  const std::string path_;
  mutable Mutex mu_;
  std::unique_ptr<Unpacker> unpacker_ GUARDED_BY(mu_);
  std::string in_ GUARDED_BY(mu_);          // packed bytes
  size_t in_at_ GUARDED_BY(mu_) = 0;        // so many of them are used up
  uint64_t in_end_ GUARDED_BY(mu_) = 0;     // the packed file was read up to here
  std::string window_ GUARDED_BY(mu_);      // unpacked bytes
  uint64_t window_at_ GUARDED_BY(mu_) = 0;  // the first of them
  bool step_was_full_ GUARDED_BY(mu_) = false;
  bool starved_ GUARDED_BY(mu_) = false;  // the packed file has no more at the moment
  bool damaged_ GUARDED_BY(mu_) = false;
  bool ended_ GUARDED_BY(mu_) = false;     // and the text is complete
  bool one_part_ GUARDED_BY(mu_) = true;   // no part of it ended so far
  uint64_t expected_ GUARDED_BY(mu_) = 0;  // the text has so much at least
  // Of the packed file when the damage was found.
  uint64_t damaged_size_ GUARDED_BY(mu_) = 0;
  UnixNanos damaged_modified_ GUARDED_BY(mu_) = kNoTime;
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_PACKED_FILE_H_
