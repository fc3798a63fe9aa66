// LogWriter: a program that writes a log.
//
// It writes lines in bursts, leaves half lines for a while, and opens its file again when a rotator
// asks for it. What it writes follows from its options: plain lines with LF or CRLF, records of
// several lines as Java's traces are, or container formats with records in pieces on two streams.
#ifndef KELP_TESTS_SIM_WRITERS_H_
#define KELP_TESTS_SIM_WRITERS_H_

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors.h"
#include "base/units.h"
#include "disk.h"
#include "oracle.h"

namespace kelp::sim {

enum class LogFormat : uint8_t { kLines, kJava, kCri, kDocker };

struct WriterOptions {
  std::string path;
  LogFormat format = LogFormat::kLines;
  bool append = true;  // O_APPEND; else it remembers where it was
  uint32_t crlf_percent = 10;
  uint32_t half_percent = 25;  // of writes end in a half line
  uint32_t long_percent = 2;   // of lines are longer than line_bytes_max
  uint32_t filtered_percent = 0;
  uint32_t refused_percent = 0;   // of lines the destination does not take
  uint32_t partial_percent = 30;  // of CRI lines are not the last piece of their record
  bool split_records = false;     // across a rotation
  size_t line_bytes_max = 1024;   // of the input's configuration
  uint32_t lines_max = 6;         // in a burst
  Duration pause_max = 1s;
  // What it writes to a file that is empty, always the same; about.
  size_t banner_bytes = 0;
};

// What a filter drops, and what the destination refuses for good.
inline constexpr std::string_view kFilteredWord = "DROP";
inline constexpr std::string_view kRefusedWord = "POISON";

class LogWriter final : public Actor {
 public:
  LogWriter(World& world, WriterOptions options);
  void Start() override;
  void Finish() override;

  // --- for rotators ---
  const WriterOptions& options() const { return options_; }
  // From now on it writes to the file that has the name; what is half written goes to the old one
  // first.
  void Reopen();
  // Nothing half written any more, neither lines nor records.
  void Complete();
  bool has_half() const { return !half_.empty(); }
  // The file is about to be cut to its first `length` bytes: a line of which a part is written is
  // torn.
  void Cut(const Node& node, uint64_t length);
  // Some whole lines, now; to the file that has the name, or to another one.
  void WriteBurst();
  void WriteBurstTo(const std::string& path);
  // Writes nothing for a while.
  void Rest(bool rests) { rests_ = rests; }

 private:
  struct Piece {
    std::string bytes;
    LineId line;
    bool completes = false;  // with these bytes the line is complete
  };

  void Act();
  void EndHalf();
  bool EnsureOpen();
  void WriteBanner();
  std::vector<Piece> NextPieces();
  Piece PlainLine();
  Piece JavaRecord();
  Piece CriLine(size_t stream, bool last);
  std::string Padding(std::string_view word);
  void Limit(const LineId& id);
  // Writes pieces; of the last one only `cut` bytes when it is not 0.
  void Write(std::vector<Piece> pieces, size_t cut);
  // What could not be written, or was left for later, goes on here.
  void WritePending();
  uint64_t LineBegin(uint64_t end) const;
  void TellGlued(uint64_t end);

  const WriterOptions options_;
  std::array<uint32_t, 2> names_;  // the oracle's; CRI has one for each stream
  std::unique_ptr<Handle> handle_;
  uint64_t position_ = 0;  // without O_APPEND
  bool rests_ = false;
  bool behind_piece_ = false;  // the file ends with a piece of a line that was cut
  // The rest of a line of which the beginning was written.
  std::string half_;
  uint64_t half_begin_ = 0;  // of the line, in the file
  bool half_begun_ = false;
  LineId half_line_;
  bool half_completes_ = false;
  struct Record {
    bool open = false;
    LineId line;
  };
  std::array<Record, 2> records_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_WRITERS_H_
