// The code of RecordJoiner that is compiled into each decoder's loop; see multiline.h.
#ifndef KELP_FRAMING_RECORD_JOINER_H_
#define KELP_FRAMING_RECORD_JOINER_H_

#include <utility>

#include "framing/multiline.h"

namespace kelp::framing {

inline void RecordJoiner::AppendText(const Record& line) {
  const std::string_view text = line.text;
  if (!parts_.empty()) [[likely]] {
    // Where the lines lie in the buffer as they should come out, nothing is copied.
    std::string_view& last = parts_.back();
    const char* end = last.data() + last.size();
    if (end + 1 == text.data() && *end == '\n') [[likely]] {
      last = {last.data(), last.size() + 1 + text.size()};
    } else {
      parts_.push_back(text);
    }
  } else {
    parts_.push_back(text);
  }
  if (marks() && apart_) {
    marks_.push_back(
        {line.begin, line.end, static_cast<uint32_t>(text.size()), line.cut, line.malformed});
  }
}

template <typename Emit>
void RecordJoiner::Close(Batch& batch, bool cut, Emit&& emit) {
  // Gone before it is emitted: whoever takes the row may ask what is pending.
  Record record{Text(batch), begin_, end_, time_, {}, cut_ || cut, malformed_};
  if (!attrs_.empty()) record.attrs = batch.Copy(attrs_);
  Reset();
  emit(record);
}

// Adds the line to the open record, whose last one it may be.
template <typename Emit>
void RecordJoiner::AppendOrCut(const Record& line, bool last, Batch& batch, Emit&& emit) {
  if (!Fits(line)) [[unlikely]] {
    Close(batch, /*cut=*/true, emit);
    Outside(line, emit);
    return;
  }
  Append(line);
  if (last) Close(batch, /*cut=*/false, emit);
}

// A line while no record is open.
template <typename Emit>
void RecordJoiner::Outside(const Record& line, Emit&& emit) {
  using Mode = MultilineRules::Mode;
  bool opens = false;
  bool closes = false;
  switch (mode_) {
    case Mode::kStart:
    case Mode::kStartContinue:
      opens = IsStart(line.text);
      break;
    case Mode::kStartEnd:
      opens = IsStart(line.text);
      closes = opens && IsEnd(line.text);
      break;
    case Mode::kContinueEnd:
      opens = GoesOn(line.text) || (closes = IsEnd(line.text));
      break;
    case Mode::kEnd:
      opens = true;
      closes = IsEnd(line.text);
      break;
  }
  if (opens && !closes) {
    Open(line);
  } else if (opens || options_.unmatched == Unmatched::kKeep) {
    emit(line);
  } else {
    ++dropped_;
  }
}

template <typename Room, typename Emit>
bool RecordJoiner::Add(const Record& line, Batch& batch, Room&& room, Emit&& emit) {
  using Mode = MultilineRules::Mode;
  if (!open_) [[unlikely]] {
    Outside(line, emit);
    return true;
  }
  switch (mode_) {
    case Mode::kStart:
      if (rules_.MayStart(line.text) && IsStart(line.text)) {
        Close(batch, /*cut=*/false, emit);
        Open(line);
      } else {
        AppendOrCut(line, /*last=*/false, batch, emit);
      }
      return true;
    case Mode::kStartContinue:
      if (GoesOn(line.text)) {
        AppendOrCut(line, /*last=*/false, batch, emit);
      } else {
        Close(batch, /*cut=*/false, emit);
        Outside(line, emit);
      }
      return true;
    case Mode::kStartEnd:
    case Mode::kEnd:
      AppendOrCut(line, IsEnd(line.text), batch, emit);
      return true;
    case Mode::kContinueEnd:
      break;
  }
  const bool goes_on = GoesOn(line.text);
  if (goes_on || IsEnd(line.text)) {
    AppendOrCut(line, !goes_on, batch, emit);
    return true;
  }
  if (!Unwind(batch, room, emit)) return false;
  Outside(line, emit);
  return true;
}

// The lines of a record that never got its end are unmatched. False when there was no room for all
// of them; the rest stays pending.
template <typename Room, typename Emit>
bool RecordJoiner::Unwind(Batch& batch, Room&& room, Emit&& emit) {
  if (options_.unmatched == Unmatched::kDrop) {
    dropped_ += lines_;
    Reset();
    return true;
  }
  if (!apart_) {
    Close(batch, /*cut=*/false, emit);
    return true;
  }
  std::string_view text = Text(batch);
  size_t done = 0;
  for (; done < marks_.size() && room(batch); ++done) {
    const Mark& mark = marks_[done];
    emit(Record{
        text.substr(0, mark.size), mark.begin, mark.end, time_, {}, mark.cut, mark.malformed});
    text.remove_prefix(std::min<size_t>(mark.size + size_t{1}, text.size()));
  }
  if (done == marks_.size()) {
    Reset();
    return true;
  }
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<ptrdiff_t>(done));
  held_.clear();
  holds_ = false;
  parts_.assign(1, text);
  bytes_ = text.size();
  lines_ = static_cast<uint32_t>(marks_.size());
  begin_ = marks_.front().begin;
  unwinding_ = true;
  return false;
}

template <typename Room, typename Emit>
void RecordJoiner::Flush(Batch& batch, Room&& room, Emit&& emit) {
  if (!open_) return;
  const bool complete = mode_ <= MultilineRules::Mode::kStartContinue;
  if (!complete && Unwind(batch, room, emit)) return;
  Close(batch, /*cut=*/false, emit);
}

}  // namespace kelp::framing

#endif  // KELP_FRAMING_RECORD_JOINER_H_
