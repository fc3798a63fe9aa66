// Oracle: knows every line that was written, what may have become of it, and what arrived.
//
// A line is due: it must arrive exactly once, as it was written, behind the lines of its writer
// that came before it in the same origin. There are exceptions, and each is granted at the moment
// and for the lines for which it is true, never for a scenario as a whole:
// - excused: a rotator destroyed the bytes before they could be read for good, or nobody was told
//   of the file; or it took the place of bytes that were delivered, and the agent died before it
//   could notice. It may be missing; it may not arrive twice or changed.
// - torn: a rotator cut it in two (copytruncate between two writes of one line, a truncation in the
//   middle of it). Its pieces may arrive as lines.
// - glued: it was written behind such a piece, in the same line of the file. It may arrive with the
//   piece before it.
// - repeatable: the agent could not store the name of the origin before it died, because the store
//   failed; or the file was cut below what had been read of it, and nobody could tell that what is
//   left is the same (see Sights). It may come again under another name.
// - filtered: the pipeline drops it. It must not arrive.
// - refused: the destination does not take it for good; it must arrive at the dead letters, and
//   nowhere else.
//
// Place:    one per World; writers and rotators tell it what they do, the Destination what came.
// Threads:  confined to the simulation's thread.
#ifndef KELP_TESTS_SIM_ORACLE_H_
#define KELP_TESTS_SIM_ORACLE_H_

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/ids.h"
#include "history.h"

namespace kelp::sim {

// Two at most, and the dead letters of the first one.
constexpr size_t kPipelinesMax = 3;
constexpr size_t kDeadLetters = 2;

// Lines that begin so tell nothing: programs write them at the beginning of each file.
inline constexpr std::string_view kBannerWord = "banner";

// One line, or one record of several.
struct Line {
  std::string text;    // as its row must show it
  std::string beyond;  // what is cut off behind it: the line was over the limit
  uint64_t file = 0;   // Node::serial of where its bytes are; 0: nowhere any more
  uint64_t begin = 0;  // in that file
  uint64_t end = 0;    // behind its line end
  bool complete = false;
  bool torn = false;
  bool filtered = false;
  bool refused = false;
  std::array<uint32_t, kPipelinesMax> arrived{};
  OriginId origin;  // it arrived from last
  std::array<bool, kPipelinesMax> excused{};
  std::array<bool, kPipelinesMax> repeatable{};
};

struct LineId {
  uint32_t writer = 0;
  uint32_t number = 0;  // from 1
};

struct ArrivedRow {
  size_t pipeline = 0;
  OriginId origin;
  std::string_view path;
  std::string_view body;
  uint64_t end = 0;
  // The agent stored the origin's name; otherwise nobody could know its rows again.
  bool origin_stored = true;
};

struct OracleCounts {
  uint64_t lines = 0;
  uint64_t arrived = 0;
  uint64_t excused = 0;
  uint64_t torn_pieces = 0;
};

class Oracle {
 public:
  explicit Oracle(History& history) : history_(history) {}
  // Before anything else.
  void set_pipelines(size_t pipelines, bool dead_letters) {
    for (size_t p = 0; p < pipelines; ++p) pipelines_.push_back(p);
    if (dead_letters) pipelines_.push_back(kDeadLetters);
  }
  // Writes of checkpoints may fail: rows of origins without a stored name may come twice.
  void set_store_fails(bool fails) { store_fails_ = fails; }

  // --- writers ---
  uint32_t AddWriter();
  // What the next line of a writer begins with, so that it is known by.
  std::string NextName(uint32_t writer) const;
  LineId Begin(uint32_t writer, std::string text, bool filtered);
  void Refused(const LineId& id) { Get(id).refused = true; }
  // Its line end was written.
  void Completed(const LineId& id, uint64_t file, uint64_t begin, uint64_t end);
  // A part of it is in one file, the rest will be in another, or nowhere.
  void Tear(const LineId& id);
  // It was written behind a piece of a torn line: in the file, the line it ends is `whole`.
  void Glued(const LineId& id, std::string_view whole, size_t line_bytes_max);
  // The writer could not write it, and forgot it.
  void NeverWritten(const LineId& id) { Get(id).text.clear(); }
  Line& Get(const LineId& id) { return writers_[id.writer][id.number - 1]; }

  // --- rotators ---
  // Lines of `file` that end up to `to` will be looked for in `copy` from now on.
  void Moved(uint64_t file, uint64_t to, uint64_t copy);
  // `file` was emptied; its lines up to `kept` are in another file. A line across `kept` is torn.
  void Emptied(uint64_t file, uint64_t kept);
  // `file` was cut to its first `length` bytes. A line across that is torn.
  void CutTo(uint64_t file, uint64_t length);
  // Nobody could tell that what is in `file` between these offsets is what it held before.
  void MayComeAgain(uint64_t file, uint64_t from, uint64_t to);
  // What is written there from now on, or was already, looks like a repeat to the destination:
  // other bytes of `file` were delivered from this place.
  void MayLookRepeated(uint64_t file, uint64_t from, uint64_t to);
  // The last name of `file` is gone. `held`: the agent has it open and will read it to its end.
  void Unlinked(uint64_t file, bool held);
  // Nobody promised to read this file.
  void NobodysFile(uint64_t file);

  // --- the agent and the destination ---
  void AgentDied();
  void Arrived(const ArrivedRow& row);

  // Every due line arrived.
  bool AllArrived() const { return due_ == 0; }
  bool AllArrivedIn(uint64_t file) const;
  // Lines that came although they were excused.
  uint64_t excused_arrivals() const { return excused_arrivals_; }
  // Up to `count` lines that are due, for messages.
  std::vector<std::string> Missing(size_t count) const;
  void Fail(std::string message);
  const std::string& failure() const { return failure_; }
  OracleCounts Counts() const;

 private:
  using Lines = std::vector<Line>;
  Line* FindByBody(std::string_view body, LineId& id);
  bool PieceOfTorn(std::string_view body) const;
  bool IsDue(const Line& line, size_t pipeline) const {
    return (pipeline == kDeadLetters) == line.refused && line.complete && !line.filtered &&
           !line.torn && !line.excused[pipeline] && line.arrived[pipeline] == 0;
  }
  // Changes a line and keeps due_ right.
  template <typename F>
  void Change(Line& line, F&& change);
  void Excuse(Line& line);

  History& history_;
  std::vector<size_t> pipelines_;
  bool store_fails_ = false;
  std::vector<Lines> writers_;
  std::map<uint64_t, std::vector<LineId>> by_file_;
  std::vector<std::string> torn_;
  std::map<std::string, LineId, std::less<>> glued_;  // by the row that it is with its piece
  std::map<uint64_t, uint64_t> looks_repeated_;       // up to there, by file
  std::set<uint64_t> held_;                           // unlinked, and open in the agent
  std::map<std::tuple<size_t, OriginId, uint32_t>, uint32_t> last_;
  uint64_t due_ = 0;
  uint64_t torn_pieces_ = 0;
  uint64_t excused_arrivals_ = 0;
  std::string failure_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_ORACLE_H_
