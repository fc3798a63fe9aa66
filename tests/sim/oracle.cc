#include "oracle.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace kelp::sim {
namespace {

// A body in a message.
std::string Shown(std::string_view body) {
  constexpr size_t kMax = 60;
  std::string shown(body.substr(0, kMax));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = c == '\n' ? '|' : '~';
  }
  if (body.size() > kMax) shown += fmt::format("... ({} bytes)", body.size());
  return shown;
}

// "w3#17 ..." gives 3 and 17.
bool ParseName(std::string_view body, LineId& id) {
  if (body.empty() || body[0] != 'w') return false;
  const char* end = body.data() + body.size();
  const auto writer = std::from_chars(body.data() + 1, end, id.writer);
  if (writer.ec != std::errc() || writer.ptr == end || *writer.ptr != '#') return false;
  const auto number = std::from_chars(writer.ptr + 1, end, id.number);
  return number.ec == std::errc() && id.number > 0;
}

}  // namespace

uint32_t Oracle::AddWriter() {
  writers_.emplace_back();
  return static_cast<uint32_t>(writers_.size() - 1);
}

std::string Oracle::NextName(uint32_t writer) const {
  return "w" + std::to_string(writer) + "#" + std::to_string(writers_[writer].size() + 1) + " ";
}

LineId Oracle::Begin(uint32_t writer, std::string text, bool filtered) {
  Line line;
  line.text = std::move(text);
  line.filtered = filtered;
  writers_[writer].push_back(std::move(line));
  return {writer, static_cast<uint32_t>(writers_[writer].size())};
}

template <typename F>
void Oracle::Change(Line& line, F&& change) {
  for (const size_t p : pipelines_) due_ -= IsDue(line, p) ? 1 : 0;
  change(line);
  for (const size_t p : pipelines_) due_ += IsDue(line, p) ? 1 : 0;
}

void Oracle::Excuse(Line& line) {
  Change(line, [](Line& l) { l.excused.fill(true); });
}

void Oracle::Completed(const LineId& id, uint64_t file, uint64_t begin, uint64_t end) {
  Change(Get(id), [&](Line& line) {
    line.complete = true;
    line.file = file;
    line.begin = begin;
    line.end = end;
  });
  by_file_[file].push_back(id);
  const auto repeated = looks_repeated_.find(file);
  if (repeated != looks_repeated_.end() && begin < repeated->second) Excuse(Get(id));
}

void Oracle::Tear(const LineId& id) {
  Line& line = Get(id);
  Change(line, [](Line& l) { l.torn = true; });
  torn_.push_back(line.text + line.beyond + "\r");
}

void Oracle::Glued(const LineId& id, std::string_view whole, size_t line_bytes_max) {
  torn_.emplace_back(whole);
  if (Get(id).torn) return;  // it is pieces only
  if (whole.ends_with('\r')) whole.remove_suffix(1);
  if (whole.size() > line_bytes_max) return Tear(id);  // cut off behind the limit, with its piece
  glued_.emplace(whole, id);
}

void Oracle::Moved(uint64_t file, uint64_t to, uint64_t copy) {
  for (const LineId& id : by_file_[file]) {
    Line& line = Get(id);
    if (line.file != file || line.end > to) continue;
    line.file = copy;
    by_file_[copy].push_back(id);
  }
}

void Oracle::Emptied(uint64_t file, uint64_t kept) {
  looks_repeated_.erase(file);
  for (const LineId& id : std::exchange(by_file_[file], {})) {
    Line& line = Get(id);
    if (line.file != file) continue;
    if (line.begin < kept) Tear(id);
    line.file = 0;
    Excuse(line);
  }
}

void Oracle::CutTo(uint64_t file, uint64_t length) {
  std::vector<LineId> kept;
  for (const LineId& id : std::exchange(by_file_[file], {})) {
    Line& line = Get(id);
    if (line.file != file) continue;
    if (line.end <= length) {
      kept.push_back(id);
      continue;
    }
    if (line.begin < length) Tear(id);
    line.file = 0;
    Excuse(line);
  }
  by_file_[file] = std::move(kept);
}

void Oracle::MayComeAgain(uint64_t file, uint64_t from, uint64_t to) {
  for (const LineId& id : by_file_[file]) {
    Line& line = Get(id);
    if (line.file == file && line.end > from && line.end <= to) line.repeatable.fill(true);
  }
}

void Oracle::MayLookRepeated(uint64_t file, uint64_t from, uint64_t to) {
  uint64_t& most = looks_repeated_[file];
  most = std::max(most, to);
  for (const LineId& id : by_file_[file]) {
    Line& line = Get(id);
    if (line.file == file && line.end > from && line.begin < to) Excuse(line);
  }
}

void Oracle::Unlinked(uint64_t file, bool held) {
  if (held) {
    held_.insert(file);
  } else {
    NobodysFile(file);
  }
}

void Oracle::NobodysFile(uint64_t file) {
  for (const LineId& id : by_file_[file]) {
    Line& line = Get(id);
    if (line.file == file) Excuse(line);
  }
}

void Oracle::AgentDied() {
  for (const uint64_t file : std::exchange(held_, {})) NobodysFile(file);
}

Line* Oracle::FindByBody(std::string_view body, LineId& id) {
  if (!ParseName(body, id) || id.writer >= writers_.size()) return nullptr;
  Lines& lines = writers_[id.writer];
  return id.number <= lines.size() ? &lines[id.number - 1] : nullptr;
}

bool Oracle::PieceOfTorn(std::string_view body) const {
  return std::any_of(torn_.begin(), torn_.end(),
                     [&](const std::string& text) { return text.find(body) != std::string::npos; });
}

void Oracle::Arrived(const ArrivedRow& row) {
  if (row.body.starts_with(kBannerWord)) return;
  LineId id;
  Line* line = FindByBody(row.body, id);
  if (line == nullptr || line->text != row.body) {
    const auto glued = glued_.find(row.body);
    line = glued == glued_.end() ? nullptr : &Get(id = glued->second);
  }
  // "w0#105 x" without its 5 is what the tenth line may be.
  const auto cut_to_it = [&] {
    return std::find(torn_.begin(), torn_.end(), row.body) != torn_.end();
  };
  const bool piece =
      line != nullptr && line->arrived[row.pipeline] > 0 && (line->torn || cut_to_it());
  if (line == nullptr || piece) {
    if (PieceOfTorn(row.body)) {
      ++torn_pieces_;
      return;
    }
    return Fail(fmt::format("corrupt: pipeline {} got a line that nobody wrote: \"{}\" from {}",
                            row.pipeline, Shown(row.body), row.path));
  }
  if (line->filtered) {
    return Fail(fmt::format("not filtered: pipeline {} got \"{}\"", row.pipeline, Shown(row.body)));
  }
  if (line->refused != (row.pipeline == kDeadLetters)) {
    return Fail(fmt::format("refused: {} got \"{}\"",
                            row.pipeline == kDeadLetters ? "the dead letters" : "the destination",
                            Shown(row.body)));
  }
  if (!row.origin_stored) {
    if (!store_fails_) {
      return Fail(fmt::format("order of writing: rows of {} came before its origin {} was stored",
                              row.path, row.origin.ToString()));
    }
    line->repeatable[row.pipeline] = true;
  }
  uint32_t& last = last_[{row.pipeline, row.origin, id.writer}];
  if (id.number <= last) {
    return Fail(fmt::format(
        "order: pipeline {} got line {} (\"{}\") of writer {} after line {} of origin {}",
        row.pipeline, id.number, Shown(row.body), id.writer, last, row.origin.ToString()));
  }
  last = id.number;
  excused_arrivals_ += line->excused[row.pipeline] ? 1 : 0;
  const bool again = line->arrived[row.pipeline] > 0;
  if (again && !line->repeatable[row.pipeline]) {
    return Fail(
        fmt::format("duplicate: pipeline {} got \"{}\" from origin {}, now again from {} ({})",
                    row.pipeline, Shown(row.body), line->origin.ToString().substr(0, 6),
                    row.origin.ToString().substr(0, 6), row.path));
  }
  line->origin = row.origin;
  Change(*line, [&](Line& l) { ++l.arrived[row.pipeline]; });
}

bool Oracle::AllArrivedIn(uint64_t file) const {
  const auto it = by_file_.find(file);
  if (it == by_file_.end()) return true;
  return std::all_of(it->second.begin(), it->second.end(), [&](const LineId& id) {
    const Line& line = writers_[id.writer][id.number - 1];
    for (const size_t p : pipelines_) {
      if (line.file == file && IsDue(line, p)) return false;
    }
    return true;
  });
}

void Oracle::Fail(std::string message) {
  if (!failure_.empty()) return;
  failure_ = std::move(message);
  history_.Say("oracle", "FAILED: {}", failure_);
}

std::vector<std::string> Oracle::Missing(size_t count) const {
  std::vector<std::string> missing;
  for (const Lines& lines : writers_) {
    for (const Line& line : lines) {
      for (const size_t p : pipelines_) {
        if (!IsDue(line, p) || missing.size() >= count) continue;
        missing.push_back(fmt::format("pipeline {}: \"{}\" (file {}, end {})", p, Shown(line.text),
                                      line.file, line.end));
      }
    }
  }
  return missing;
}

OracleCounts Oracle::Counts() const {
  OracleCounts counts;
  counts.torn_pieces = torn_pieces_;
  for (const Lines& lines : writers_) {
    counts.lines += lines.size();
    for (const Line& line : lines) {
      counts.arrived += line.arrived[0] > 0 || line.arrived[kDeadLetters] > 0 ? 1 : 0;
      counts.excused += line.excused[0] && line.arrived[0] == 0 ? 1 : 0;
    }
  }
  return counts;
}

}  // namespace kelp::sim
