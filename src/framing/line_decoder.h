// LineDecoder: turns the bytes of a file into rows.
//
// One decoder belongs to one source and keeps what lies between two reads: whether it stands inside
// a line that is too long, and pieces of records that are not complete. Framing is all it does;
// meaning is the processors' business.
//
// Order:    Start once; then for each batch Decode (several times), perhaps Flush, then AddFields.
// Threads:  thread-compatible; confined to the source's Read.
// Limits:   a line or a joined record over line_bytes_max is cut, marked kCutField, and counted;
//           what a record holds between reads never exceeds it.
// Rows:     come in the order of their end offsets, which grow strictly. Everything about a row
//           follows from the bytes of the file alone, however it was read: after a restart the same
//           record has the same end, by which the destination recognises it.
// Tests:    line_decoder_test.cc, line_decoder_fuzz.cc
#ifndef KELP_FRAMING_LINE_DECODER_H_
#define KELP_FRAMING_LINE_DECODER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/batch.h"

namespace kelp::framing {

// What the byte at an offset of a file belongs to.
enum class LinePlace : uint8_t {
  kStart = 0,        // the start of a line
  kInSkipped = 1,    // inside a line over the limit, whose rest is skipped
  kAfterFlushed = 2  // behind a half line that was already sent
};

// true on rows whose text was cut at line_bytes_max.
inline constexpr std::string_view kCutField = "kelp.truncated";
// true on rows that are not in the format of their file; their body is the line as it is.
inline constexpr std::string_view kMalformedField = "kelp.malformed";
inline constexpr std::string_view kStreamField = "log.iostream";

// A stretch of a file.
struct Chunk {
  char* data = nullptr;  // decoders may unescape in place; kBufferPadding readable bytes follow
  size_t size = 0;
  uint64_t offset = 0;  // of data[0] in the file
  bool last = false;    // nothing will follow: a line without an end is a line
};

struct DecodeCounts {
  uint64_t cut_lines = 0;
  uint64_t malformed_lines = 0;
  uint64_t unmatched_lines = 0;  // lines outside of all records that were dropped, as configured
  uint64_t nul_bytes = 0;        // skipped at the beginning of lines
};

// What was incomplete at the end of a file that was rotated, for the decoder of the next one.
class Carry {
 public:
  virtual ~Carry() = default;
};

class LineDecoder {
 public:
  static constexpr uint64_t kNothingPending = UINT64_MAX;
  // One line may make both streams give up pieces and records, end a record and be a row itself.
  static constexpr uint32_t kRowsPerLineMax = 12;

  explicit LineDecoder(size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}
  virtual ~LineDecoder() = default;
  LineDecoder(const LineDecoder&) = delete;
  LineDecoder& operator=(const LineDecoder&) = delete;

  // Where reading begins; rows that end at or below `emitted` were delivered and are left out.
  void Start(LinePlace place, uint64_t emitted) {
    place_ = place;
    emitted_ = emitted;
  }
  // Adds rows for the whole lines at the beginning of the chunk; the number of bytes used up. Less
  // than that when the batch is full.
  virtual size_t Decode(const Chunk& chunk, Batch& batch) = 0;
  // Adds rows for what is incomplete; `end` is the end of what was decoded, where a line begins or
  // the file ends. REQUIRES: room for kRowsPerLineMax rows; lines that a record leaves behind are
  // rows of their own as far as there is room.
  virtual void Flush([[maybe_unused]] uint64_t end, [[maybe_unused]] Batch& batch) {}
  // Whether a record may begin in one file and end in the next.
  virtual bool spans_files() const { return false; }
  // Gives away what is incomplete; nullptr when nothing is that another file could complete.
  virtual std::unique_ptr<Carry> TakePending() { return nullptr; }
  // Goes on with what the file before held. REQUIRES: nothing was decoded yet; `carry` came from a
  // decoder of the same make.
  virtual void Adopt([[maybe_unused]] std::unique_ptr<Carry> carry) {}
  // The begin of the oldest record that is incomplete.
  virtual uint64_t pending_begin() const { return kNothingPending; }
  // Puts the fields of the rows added since the last AddFields into columns.
  virtual void AddFields(Batch& batch);

  // What the byte behind the last Decode belongs to.
  LinePlace place() const { return place_; }
  // The end of the last row.
  uint64_t emitted() const { return emitted_; }
  size_t line_bytes_max() const { return line_bytes_max_; }
  DecodeCounts TakeCounts() {
    return notes_ == nullptr ? DecodeCounts() : std::exchange(notes_->counts, DecodeCounts());
  }

 protected:
  static constexpr uint32_t kNoRow = UINT32_MAX;
  // Room for what one more line may bring.
  static bool HasRoom(const Batch& batch) {
    return batch.rows() + kRowsPerLineMax <= Batch::kRowsMax;
  }
  // Adds a row unless it was delivered before; its number or kNoRow.
  uint32_t Emit(Batch& batch, std::string_view body, uint64_t begin, uint64_t end, UnixNanos time) {
    if (end <= emitted_) [[unlikely]]
      return kNoRow;  // the same row that the run before delivered
    emitted_ = end;
    return batch.AddRow(body, begin, end, time);
  }
  void MarkCut(uint32_t row) {
    if (row == kNoRow) return;
    ++Notes().counts.cut_lines;
    Notes().cut_rows.push_back(row);
  }
  void MarkMalformed(uint32_t row) {
    if (row == kNoRow) return;
    ++Notes().counts.malformed_lines;
    Notes().malformed_rows.push_back(row);
  }

  // The bytes of the byte order mark at the beginning of a UTF-8 file: no text.
  static size_t ByteOrderMark(const Chunk& chunk) {
    const bool there =
        chunk.offset == 0 && std::string_view(chunk.data, chunk.size).starts_with("\xef\xbb\xbf");
    return there ? 3 : 0;
  }
  static Chunk Behind(Chunk chunk, size_t bytes) {
    chunk.data += bytes;
    chunk.size -= bytes;
    chunk.offset += bytes;
    return chunk;
  }
  void CountUnmatched(uint64_t lines) { Notes().counts.unmatched_lines += lines; }

  // Calls on_line(line, begin, end) for each line of the chunk, without its line end, and
  // on_cut(text, begin, end) for the part that is kept of a line over the limit. Both give false
  // when they did not take the line: it comes again. `Units` says what a newline looks like.
  template <typename Units, typename OnLine, typename OnCut>
  size_t Split(const Chunk& chunk, Batch& batch, OnLine&& on_line, OnCut&& on_cut);

 private:
  enum class Step : uint8_t { kTaken, kNotCut, kRefused };
  // What is odd about a batch. Most decoders of ten thousand never see any of it.
  struct OddRows {
    DecodeCounts counts;
    std::vector<uint32_t> cut_rows;
    std::vector<uint32_t> malformed_rows;
  };
  OddRows& Notes() {
    if (notes_ == nullptr) notes_ = std::make_unique<OddRows>();
    return *notes_;
  }
  template <typename Units, typename OnCut>
  Step CutOrSkip(const Chunk& chunk, size_t& at, size_t line_end, bool ended, OnCut& on_cut);
  template <typename Units>
  size_t SkipNuls(const Chunk& chunk, size_t at, size_t end);

  const size_t line_bytes_max_;
  LinePlace place_ = LinePlace::kStart;
  uint64_t emitted_ = 0;
  std::unique_ptr<OddRows> notes_;
};

// Makes the decoder of one source.
using DecoderFactory = std::function<std::unique_ptr<LineDecoder>(size_t line_bytes_max)>;

// Each line is a row; see framing.h for everything else that can be done with lines.
std::unique_ptr<LineDecoder> MakePlainDecoder(size_t line_bytes_max);
// The CRI log format of containerd and CRI-O: time, stream, P or F, text.
std::unique_ptr<LineDecoder> MakeCriDecoder(size_t line_bytes_max);
// Docker's json-file driver: one object with log, stream and time on each line.
std::unique_ptr<LineDecoder> MakeDockerJsonDecoder(size_t line_bytes_max);
// Looks at the first line: an object is Docker's, everything else CRI's.
std::unique_ptr<LineDecoder> MakeContainerDecoder(size_t line_bytes_max);

}  // namespace kelp::framing

#endif  // KELP_FRAMING_LINE_DECODER_H_
