#include "framing/multiline.h"

#include <utility>

#include "framing/record_joiner.h"

namespace kelp::framing {
namespace {

// More matchers than this are never in use at a time on any machine that we know.
constexpr size_t kIdleMatchersMax = 64;

}  // namespace

Result<MultilineRules::Mode> MultilineRules::ModeOf(const MultilineOptions& options) {
  const bool start = !options.start.empty();
  const bool go_on = !options.go_on.empty();
  const bool end = !options.end.empty();
  if (start && go_on && end) {
    return InvalidArgumentError(
        "start, continue and end cannot go together: leave out continue (a record is all lines up "
        "to its end) or end (a record is its start and the lines that continue it)");
  }
  if (start) return go_on ? Mode::kStartContinue : end ? Mode::kStartEnd : Mode::kStart;
  if (end) return go_on ? Mode::kContinueEnd : Mode::kEnd;
  if (go_on) return InvalidArgumentError("continue needs start or end beside it");
  return InvalidArgumentError("needs start or end, or one of them and continue");
}

Result<std::shared_ptr<const MultilineRules>> MultilineRules::Compile(
    const MultilineOptions& options) {
  ASSIGN_OR_RETURN(const Mode mode, ModeOf(options));
  std::shared_ptr<MultilineRules> rules(new MultilineRules);
  rules->options_ = options;
  rules->mode_ = mode;
  const auto compile = [](const std::string& text, const char* key,
                          std::optional<Pattern>& out) -> Status {
    if (text.empty()) return OkStatus();
    auto regex = codec::Regex::Compile(text, {.anchored = true});
    RETURN_IF_ERROR(regex.status().Annotate(key));
    const codec::Regex::First first = regex->first();
    out = Pattern{std::move(regex).value(), first};
    return OkStatus();
  };
  RETURN_IF_ERROR(compile(options.start, "start", rules->start_));
  RETURN_IF_ERROR(compile(options.go_on, "continue", rules->go_on_));
  RETURN_IF_ERROR(compile(options.end, "end", rules->end_));
  return std::shared_ptr<const MultilineRules>(std::move(rules));
}

std::unique_ptr<LineMatchers> MultilineRules::Borrow() const {
  {
    MutexLock lock(mu_);
    if (!idle_.empty()) {
      auto matchers = std::move(idle_.back());
      idle_.pop_back();
      return matchers;
    }
  }
  auto matchers = std::make_unique<LineMatchers>();
  if (start_) matchers->start.emplace(start_->regex);
  if (go_on_) matchers->go_on.emplace(go_on_->regex);
  if (end_) matchers->end.emplace(end_->regex);
  return matchers;
}

void MultilineRules::GiveBack(std::unique_ptr<LineMatchers> matchers) const {
  MutexLock lock(mu_);
  if (idle_.size() < kIdleMatchersMax) idle_.push_back(std::move(matchers));
}

void RecordJoiner::Open(const Record& line) {
  open_ = true;
  begin_ = line.begin;
  end_ = line.end;
  time_ = line.time;
  attrs_.assign(line.attrs);
  cut_ = line.cut;
  malformed_ = line.malformed;
  lines_ = 1;
  bytes_ = line.text.size();
  AppendText(line);
}

void RecordJoiner::Reset() {
  open_ = unwinding_ = holds_ = false;
  parts_.clear();
  marks_.clear();
  if (held_.capacity() > kKeptCapacity) {
    std::string().swap(held_);
  } else {
    held_.clear();
  }
}

std::string_view RecordJoiner::Text(Batch& batch) {
  if (!holds_ && parts_.size() == 1) return parts_[0];
  char* const begin = batch.Allocate(bytes_);
  char* out = begin;
  const auto put = [&](std::string_view text) {
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    out += text.size();
  };
  put(held_);
  bool first = !holds_;
  for (const std::string_view part : parts_) {
    if (!std::exchange(first, false)) *out++ = '\n';
    put(part);
  }
  DCHECK(out == begin + bytes_, "the size of a record was counted wrong");
  return {begin, bytes_};
}

void RecordJoiner::Hold() {
  if (parts_.empty()) return;
  for (const std::string_view part : parts_) {
    if (std::exchange(holds_, true)) held_ += '\n';
    held_ += part;
  }
  parts_.clear();
}

RecordJoiner::Pending RecordJoiner::TakePending() {
  DCHECK(open_ && parts_.empty(), "nothing is held");
  Pending pending{std::move(held_), lines_, time_, std::move(attrs_), cut_, malformed_};
  held_.clear();
  attrs_.clear();
  Reset();
  return pending;
}

void RecordJoiner::Adopt(Pending pending) {
  open_ = holds_ = true;
  begin_ = end_ = 0;
  time_ = pending.time;
  attrs_ = std::move(pending.attrs);
  cut_ = pending.cut;
  malformed_ = pending.malformed;
  lines_ = pending.lines;
  bytes_ = pending.text.size();
  held_ = std::move(pending.text);
  // Where its lines were told apart they are one now: none of them lies in this file.
  if (marks() && apart_) {
    marks_.push_back({0, 0, static_cast<uint32_t>(bytes_), cut_, malformed_});
  }
}

}  // namespace kelp::framing
