// Multi-line records: which lines belong together, and RecordJoiner, which puts them together.
//
// Three patterns say what a line is: the start of a record, a line that goes on with one, the end
// of one. Five combinations make sense; `in` means that a record is open:
//
//   start             a start line and the lines up to the next start line
//   start, continue   a start line and the continue lines directly behind it
//   start, end        a start line and all lines up to and with the first end line
//   continue, end     a run of continue lines and the end line behind it; an end line alone, too
//   end               all lines up to and with an end line
//
// A pattern is tried where the line begins. Where a line is both, a record that is open takes it as
// continue first, then as end, then as start. Lines that belong to no record are unmatched: those
// in front of the first start, those behind a record's last, and the lines of a record that should
// have had an end but never got one. Each of them is a row, or they are dropped.
//
// A record over its limits is cut in front of the line that is too much: what is there becomes a
// row that is marked as cut, and that line is looked at as if no record were open.
//
// Place:    decoders own one joiner for each stream of a file; the compiled rules are shared by all
//           files of an input.
// Threads:  MultilineRules are thread-safe; a RecordJoiner is confined to the source's Read.
// Limits:   lines_max and bytes_max of one record. What is pending between two reads is held as a
//           copy; what lies in the buffer as it should come out is not copied at all.
// Restarts: reading goes on at the begin of the oldest record that was pending, and gives the same
//           rows. Where two streams share a file, what of the other stream lies behind that begin
//           is read again, too: of a record over its limits, or of a line in pieces, it may then
//           see the rest only, and frame that otherwise than before. Nothing is lost by it.
// Errors:   kInvalidArgument with the key and PCRE2's message.
// Tests:    multiline_test.cc, line_decoder_fuzz.cc, tests/cases/input
#ifndef KELP_FRAMING_MULTILINE_H_
#define KELP_FRAMING_MULTILINE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/sync.h"
#include "base/units.h"
#include "batch/batch.h"
#include "codec/regex.h"

namespace kelp::framing {

enum class Unmatched : uint8_t { kKeep, kDrop };

struct MultilineOptions {
  // Empty: there is none.
  std::string start;
  std::string go_on;
  std::string end;
  Unmatched unmatched = Unmatched::kKeep;
  uint32_t lines_max = 1000;
  size_t bytes_max = 256u << 10;
};

// The matchers of one decoder, borrowed for one call of Decode: with ten thousand idle files there
// are only as many as threads.
struct LineMatchers {
  std::optional<codec::RegexMatcher> start;
  std::optional<codec::RegexMatcher> go_on;
  std::optional<codec::RegexMatcher> end;
};

class MultilineRules {
 public:
  enum class Mode : uint8_t { kStart, kStartContinue, kStartEnd, kContinueEnd, kEnd };

  static Result<std::shared_ptr<const MultilineRules>> Compile(const MultilineOptions& options);
  // The combination, or which key is wrong and why, without compiling.
  static Result<Mode> ModeOf(const MultilineOptions& options);

  const MultilineOptions& options() const { return options_; }
  Mode mode() const { return mode_; }
  // False: the line is no start, without a closer look.
  bool MayStart(std::string_view line) const { return start_->May(line); }

  std::unique_ptr<LineMatchers> Borrow() const;
  void GiveBack(std::unique_ptr<LineMatchers> matchers) const;

 private:
  friend class RecordJoiner;
  struct Pattern {
    codec::Regex regex;
    codec::Regex::First first;
    bool May(std::string_view line) const {
      return line.empty() ? first.nothing : first.bytes[static_cast<unsigned char>(line[0])];
    }
    bool Is(std::string_view line, std::optional<codec::RegexMatcher>& matcher) const {
      return May(line) && matcher->Match(line) == codec::RegexOutcome::kMatch;
    }
  };
  MultilineRules() = default;

  MultilineOptions options_;
  Mode mode_ = Mode::kStart;
  std::optional<Pattern> start_;
  std::optional<Pattern> go_on_;
  std::optional<Pattern> end_;
  mutable Mutex mu_;
  mutable std::vector<std::unique_ptr<LineMatchers>> idle_ GUARDED_BY(mu_);
};

// One line, or one record made of lines.
struct Record {
  std::string_view text;
  uint64_t begin = 0;
  uint64_t end = 0;  // of its last line
  UnixNanos time = kNoTime;
  std::string_view attrs = {};
  bool cut = false;
  bool malformed = false;
};

class RecordJoiner {
 public:
  // What is pending, in a form that outlives the joiner.
  struct Pending {
    std::string text;
    uint32_t lines = 0;
    UnixNanos time = kNoTime;
    std::string attrs;
    bool cut = false;
    bool malformed = false;
  };

  // `lines_apart`: the lines of a record that never got its end are rows of their own; otherwise
  // they are one row, for files in which the rows of two streams are mixed.
  RecordJoiner(const MultilineRules& rules, bool lines_apart)
      : rules_(rules), options_(rules.options()), mode_(rules.mode()), apart_(lines_apart) {}

  void Use(LineMatchers* matchers) { matchers_ = matchers; }

  // Takes a line whose text lies in memory of the batch, or near it until Hold. Rows go to
  // emit(record), records before the line itself. False when there is no room for them: the line
  // was not taken then, and must come again.
  template <typename Room, typename Emit>
  bool Add(const Record& line, Batch& batch, Room&& room, Emit&& emit);
  // Emits what Add had no room for. True when nothing is left of it.
  template <typename Room, typename Emit>
  bool Resume(Batch& batch, Room&& room, Emit&& emit) {
    return !unwinding_ || Unwind(batch, room, emit);
  }
  // Emits what is pending. As much of it as there is room for comes line by line.
  template <typename Room, typename Emit>
  void Flush(Batch& batch, Room&& room, Emit&& emit);
  // Keeps what is pending beyond the batch.
  void Hold();

  bool open() const { return open_; }
  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }
  uint64_t TakeDropped() { return std::exchange(dropped_, 0); }
  // REQUIRES: open(), and Hold was called.
  Pending TakePending();
  // Goes on with it from the begin of a file. REQUIRES: not open().
  void Adopt(Pending pending);

 private:
  // A line of a record that may turn out to be none.
  struct Mark {
    uint64_t begin;
    uint64_t end;
    uint32_t size;
    bool cut;
    bool malformed;
  };
  // What the text of a record that was held may keep of memory.
  static constexpr size_t kKeptCapacity = 64u << 10;

  bool marks() const { return mode_ >= MultilineRules::Mode::kStartEnd; }
  bool IsStart(std::string_view t) { return rules_.start_->Is(t, matchers_->start); }
  bool GoesOn(std::string_view t) { return rules_.go_on_->Is(t, matchers_->go_on); }
  bool IsEnd(std::string_view t) { return rules_.end_->Is(t, matchers_->end); }

  void Open(const Record& line);
  bool Fits(const Record& line) const {
    return lines_ < options_.lines_max && bytes_ + 1 + line.text.size() <= options_.bytes_max;
  }
  void Append(const Record& line) {
    bytes_ += 1 + line.text.size();
    ++lines_;
    end_ = line.end;
    cut_ |= line.cut;
    malformed_ |= line.malformed;
    AppendText(line);
  }
  void AppendText(const Record& line);
  // The text of the record, in memory of the batch.
  std::string_view Text(Batch& batch);
  void Reset();
  template <typename Emit>
  void Close(Batch& batch, bool cut, Emit&& emit);
  template <typename Emit>
  void AppendOrCut(const Record& line, bool last, Batch& batch, Emit&& emit);
  template <typename Emit>
  void Outside(const Record& line, Emit&& emit);
  template <typename Room, typename Emit>
  bool Unwind(Batch& batch, Room&& room, Emit&& emit);

  const MultilineRules& rules_;
  const MultilineOptions& options_;
  const MultilineRules::Mode mode_;
  const bool apart_;
  LineMatchers* matchers_ = nullptr;

  bool open_ = false;
  bool unwinding_ = false;  // open, and its lines are being emitted one by one
  bool cut_ = false;
  bool malformed_ = false;
  bool holds_ = false;  // held_ is the beginning of the text
  uint32_t lines_ = 0;
  size_t bytes_ = 0;  // of the text
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
  UnixNanos time_ = kNoTime;
  uint64_t dropped_ = 0;
  std::string attrs_;
  std::string held_;
  std::vector<std::string_view> parts_;  // behind held_; a '\n' between each two
  std::vector<Mark> marks_;              // where the record may have to be taken apart
};

}  // namespace kelp::framing

#endif  // KELP_FRAMING_MULTILINE_H_
