// FileIdentity: the evidence by which one incarnation of a file is found again.
//
// Device and inode alone lie: an inode is used again as soon as its file is gone. Names lie too:
// rotation renames. So a file is the same when device and inode are equal, the birth times are
// equal where the file system has them, and the beginning still reads the same. That it was not
// emptied and filled anew since is told by its Guard.
//
// Threads: values.
#ifndef KELP_TAIL_IDENTITY_H_
#define KELP_TAIL_IDENTITY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"

namespace kelp::tail {

// The hash of the first bytes of a file behind the NULs that it may begin with. Grows with the file
// to kBytesMax.
struct Fingerprint {
  static constexpr size_t kBytesMax = 1024;
  // So many bytes tell a file from others, in most cases; less may be the beginning of many.
  static constexpr uint32_t kTellingBytes = 64;
  uint32_t bytes = 0;
  uint64_t hash = 0;
  bool operator==(const Fingerprint&) const = default;
  bool complete() const { return bytes >= kBytesMax; }
  // Of the first kBytesMax bytes of `head`.
  static Fingerprint Of(std::string_view head);
  // True when `head`, the beginning of a file, begins with the fingerprinted bytes.
  bool Matches(std::string_view head) const;
};

// What stood right before an offset of a file: evidence that it still holds what was read there.
struct Guard {
  static constexpr size_t kBytesMax = 64;
  uint64_t end = 0;   // 0: nothing is known
  uint64_t hash = 0;  // of the bytes() before `end`
  bool operator==(const Guard&) const = default;
  uint32_t bytes() const { return BytesBefore(end); }
  static uint32_t BytesBefore(uint64_t end) {
    return static_cast<uint32_t>(end < kBytesMax ? end : kBytesMax);
  }
  // Of the BytesBefore(end) bytes at `before`.
  static Guard Of(uint64_t end, const char* before);
  bool Matches(const char* before) const { return Of(end, before).hash == hash; }
};

// What stood before certain places of a file, from its beginning to as far as it was seen: tells
// how much of what is left of it after it was cut short, or of a copy that ends early, is still the
// same.
class Marks {
 public:
  // Places: every 8 bytes to 64, every 64 to 1024, then 8 before the length has doubled. 1 TiB.
  static constexpr size_t kMax = 263;
  static uint64_t PlaceOf(size_t i);
  // The last place at or below `size`; 0: there is none.
  static uint64_t PlaceBefore(uint64_t size);

  Marks() = default;
  // As stored.
  explicit Marks(std::vector<uint32_t> hashes) : hashes_(std::move(hashes)) {}
  const std::vector<uint32_t>& hashes() const { return hashes_; }

  // Takes note of `bytes`, which stand at `offset`. Places that were seen before stay as they were.
  void See(uint64_t offset, std::string_view bytes);
  // The last place that was seen.
  uint64_t end() const { return hashes_.empty() ? 0 : PlaceOf(hashes_.size() - 1); }
  // The last place up to which both are the same.
  uint64_t CommonTo(const Marks& other) const;
  // Forgets what is behind `size`.
  void CutTo(uint64_t size);
  // Whether `text`, all that there is from `offset` on, is the same as far as there are places to
  // compare. False when there are none.
  bool Match(uint64_t offset, std::string_view text) const;
  // Whether the first `size` bytes of a file differ at no place. Errors: of reading.
  Result<bool> Fit(File& file, uint64_t size) const;
  // The last place in the first `size` bytes of a file, when it is the same there and at all places
  // before; otherwise 0. Errors: of reading.
  Result<uint64_t> HeldTo(File& file, uint64_t size) const;

 private:
  static uint32_t HashBefore(uint64_t place, const char* before);
  // By place; 0: not known.
  std::vector<uint32_t> hashes_;
};

// What names a file at one moment.
struct FileKey {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const FileKey&) const = default;
  static FileKey Of(const FileInfo& info) { return {info.device, info.inode}; }
};

struct FileKeyHash {
  size_t operator()(const FileKey& key) const noexcept {
    return static_cast<size_t>((key.inode ^ (key.device << 40)) * 0x9e3779b97f4a7c15ull);
  }
};

struct FileIdentity {
  FileKey key;
  UnixNanos born = kNoTime;
  Fingerprint print;
  // Everything but the content.
  bool SameInode(const FileInfo& info) const {
    return key == FileKey::Of(info) &&
           (born == kNoTime || info.born == kNoTime || born == info.born);
  }
};

// `text` without the NULs at its end: those of a file that was made larger than what is written to
// it yet. A single one may be half a character.
std::string_view WithoutNuls(std::string_view text);

// Where there is something else than NULs. Holes of sparse files are not read.
struct Text {
  enum State : uint8_t { kFound, kNone, kTooFar };  // none: NULs to the end of the file
  State state = kNone;
  uint64_t at = 0;  // or how far was looked
};
// Limits: looks at kNulsMax bytes that are no hole. Errors: of reading.
Result<Text> FindText(File& file, uint64_t from);

// What a file begins with. A writer that does not append leaves a hole when its file is emptied
// under it (copytruncate): NULs at the beginning tell no file from another and are not a part of
// it, nor are those behind its text.
struct Head {
  std::string bytes;                                   // up to Fingerprint::kBytesMax
  uint64_t at = 0;                                     // so many NULs are before them
  operator std::string_view() const { return bytes; }  // NOLINT: it is text with a place
  size_t size() const { return bytes.size(); }
  bool empty() const { return bytes.empty(); }
  bool operator==(const Head&) const = default;
};

// Limits: of more than kNulsMax bytes that are NUL and no hole, it is NULs.
Result<Head> ReadHead(File& file);
inline constexpr uint64_t kNulsMax = 16u << 20;

// Whether a file that begins with `head` (all of it, when it is shorter than that) may hold what
// this is the evidence of, or the beginning of it.
bool MayBeginAs(const Fingerprint& print, const Marks& marks, const Head& head);

// By the first bytes: gzip, zstd, bzip2, xz.
bool IsCompressed(std::string_view head);

// Of what stands before `end` now; none when the file is shorter. Errors: of reading.
Result<Guard> GuardBefore(File& file, uint64_t end);

// Whether the file holds what the guard saw. Errors: of reading.
Result<bool> GuardHolds(File& file, const Guard& guard);

}  // namespace kelp::tail

#endif  // KELP_TAIL_IDENTITY_H_
