#include "loki/pipeline.h"

#include <algorithm>

#include "loki/extract.h"
#include "loki/lexer.h"
#include "loki/parser.h"
#include "loki/template.h"

namespace kelp::loki {
namespace {

bool IsAddressByte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
         c == ':';
}

// Whether an address of the net stands anywhere in the line.
bool HasAddress(const LineFilter::Text& text, std::string_view line) {
  for (size_t at = 0; at < line.size();) {
    if (!IsAddressByte(line[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < line.size() && IsAddressByte(line[at])) ++at;
    // Longer than any address is none; shorter than "::1" neither.
    if (at - begin < 3 || at - begin > 64) continue;
    std::string_view word = line.substr(begin, at - begin);
    while (word.size() > 2 && (word.back() == '.' || word.back() == ':')) word.remove_suffix(1);
    const auto address = query::IpAddress::ParsePeer(word);
    if (address && InIpRange(*text.net, text.last, *address)) return true;
  }
  return false;
}

bool CompareNumbers(LabelFilter::Compare compare, double a, double b) {
  using Compare = LabelFilter::Compare;
  switch (compare) {
    case Compare::kEqual:
      return a == b;
    case Compare::kNotEqual:
      return a != b;
    case Compare::kGreater:
      return a > b;
    case Compare::kGreaterEqual:
      return a >= b;
    case Compare::kLess:
      return a < b;
    case Compare::kLessEqual:
      return a <= b;
  }
  return false;
}

void CollectLabels(const LabelFilter& filter, std::vector<std::string>& out) {
  if (filter.children.empty()) out.push_back(filter.match.label);
  for (const LabelFilter& child : filter.children) CollectLabels(child, out);
}

}  // namespace

codec::RegexMatcher& MatcherRun::Of(const Pattern& pattern) {
  const auto found = runs_.find(&pattern);
  if (found != runs_.end()) return found->second;
  return runs_.emplace(&pattern, codec::RegexMatcher(pattern.regex)).first->second;
}

bool MatcherRun::Matches(const Matcher& matcher, std::string_view value) {
  switch (matcher.op) {
    case MatchOp::kEqual:
      return value == matcher.value;
    case MatchOp::kNotEqual:
      return value != matcher.value;
    case MatchOp::kRegex:
      return Matches(*matcher.pattern, value);
    case MatchOp::kNotRegex:
      return !Matches(*matcher.pattern, value);
  }
  return false;
}

bool Pipeline::Run(Entry& entry) {
  return std::all_of(stages_.begin(), stages_.end(),
                     [&](const Stage& stage) { return RunStage(stage, entry); });
}

bool Pipeline::RunStage(const Stage& stage, Entry& entry) {
  switch (stage.kind) {
    case Stage::Kind::kLine:
      return LinePasses(stage.line, entry.line);
    case Stage::Kind::kJson:
      ExtractJson(stage, entry);
      return true;
    case Stage::Kind::kLogfmt:
      ExtractLogfmt(stage, entry);
      return true;
    case Stage::Kind::kRegexp:
    case Stage::Kind::kPattern:
      ExtractRegex(run_.Of(*stage.pattern), stage.pattern->regex.names(), entry);
      return true;
    case Stage::Kind::kUnpack:
      ExtractUnpack(entry);
      return true;
    case Stage::Kind::kFilter:
      return Passes(stage.filter, entry);
    case Stage::Kind::kLineFormat:
      entry.line = Write(*stage.format, entry);
      return true;
    case Stage::Kind::kLabelFormat:
      FormatLabels(stage, entry);
      return true;
    case Stage::Kind::kDecolorize:
      entry.line = Decolorize(entry.line, entry.arena);
      return true;
    case Stage::Kind::kDrop:
    case Stage::Kind::kKeep:
      DropOrKeep(stage, entry);
      return true;
  }
  return true;
}

bool Pipeline::LinePasses(const LineFilter& filter, std::string_view line) {
  const bool found =
      std::any_of(filter.any.begin(), filter.any.end(),
                  [&](const LineFilter::Text& text) { return Contains(filter, text, line); });
  return found != filter.negated;
}

bool Pipeline::Contains(const LineFilter& filter, const LineFilter::Text& text,
                        std::string_view line) {
  if (text.net) return HasAddress(text, line);
  if (filter.op == LineFilter::Op::kContains) {
    return line.find(text.text) != std::string_view::npos;
  }
  return run_.Matches(*text.pattern, line);
}

bool Pipeline::Passes(const LabelFilter& filter, Entry& entry) {
  switch (filter.kind) {
    case LabelFilter::Kind::kAnd:
      return Passes(filter.children[0], entry) && Passes(filter.children[1], entry);
    case LabelFilter::Kind::kOr:
      return Passes(filter.children[0], entry) || Passes(filter.children[1], entry);
    case LabelFilter::Kind::kMatch:
      return run_.Matches(filter.match, entry.Get(filter.match.label));
    case LabelFilter::Kind::kIp: {
      const auto address = query::IpAddress::ParsePeer(entry.Get(filter.match.label));
      const bool in = address && InIpRange(filter.net, filter.last, *address);
      return in == (filter.compare == LabelFilter::Compare::kEqual);
    }
    default:
      return Compares(filter, entry);
  }
}

bool Pipeline::Compares(const LabelFilter& filter, Entry& entry) {
  const Label* label = entry.Find(filter.match.label);
  // As in Loki: what is not there compares with nothing; what is no number passes, marked.
  if (label == nullptr) return false;
  std::optional<double> number;
  if (filter.kind == LabelFilter::Kind::kNumber) {
    number = ReadNumber(label->value);
  } else if (filter.kind == LabelFilter::Kind::kDuration) {
    number = ReadDuration(label->value);
    if (number) number = *number / 1e9;
  } else {
    number = ReadBytes(label->value);
  }
  if (!number) {
    entry.SetError("LabelFilterErr", "the value of the label is no number of that kind");
    return true;
  }
  return CompareNumbers(filter.compare, *number, filter.number);
}

std::string_view Pipeline::Write(const Template& format, Entry& entry) {
  std::string out;
  format.Write({[&](std::string_view label) { return entry.Get(label); }, entry.line, entry.time},
               out);
  return entry.arena.Copy(out);
}

void Pipeline::FormatLabels(const Stage& stage, Entry& entry) {
  for (const Stage::Assign& assign : stage.assigns) {
    if (assign.format != nullptr) {
      entry.Set(assign.label, Write(*assign.format, entry), Category::kParsed);
      continue;
    }
    // A rename: the source goes away.
    const Label* source = entry.Find(assign.source);
    if (source == nullptr) continue;
    const Label moved = *source;
    entry.Set(assign.source, "", Category::kParsed);
    entry.Set(assign.label, moved.value, Category::kParsed);
  }
}

void Pipeline::DropOrKeep(const Stage& stage, Entry& entry) {
  const bool drop = stage.kind == Stage::Kind::kDrop;
  const auto named = [&](const Label& label) {
    for (size_t i = 0; i < stage.labels.size(); ++i) {
      const Matcher& matcher = stage.labels[i];
      if (matcher.label != label.name) continue;
      if (stage.any_value[i] || run_.Matches(matcher, label.value)) return true;
    }
    return false;
  };
  std::erase_if(entry.labels, [&](const Label& label) {
    // Errors are seen even by those who keep little.
    if (!drop && label.name.starts_with("__error")) return false;
    return named(label) == drop;
  });
}

std::optional<double> UnwrapValue(const Unwrap& unwrap, Entry& entry) {
  const Label* label = entry.Find(unwrap.label);
  if (label == nullptr) return std::nullopt;
  std::optional<double> number;
  if (unwrap.kind == Unwrap::Kind::kNumber) {
    number = ReadNumber(label->value);
  } else if (unwrap.kind == Unwrap::Kind::kDuration) {
    number = ReadDuration(label->value);
    if (number) number = *number / 1e9;
  } else {
    number = ReadBytes(label->value);
  }
  if (!number) {
    entry.SetError("SampleExtractionErr", "the value of the unwrapped label is no number");
    return std::nullopt;
  }
  return number;
}

Needs NeedsOf(std::span<const Stage> stages) {
  Needs needs;
  const auto add = [&](const Template& format) {
    for (std::string& label : format.Labels()) needs.labels.push_back(std::move(label));
    needs.line = needs.line || format.uses_line();
  };
  for (const Stage& stage : stages) {
    switch (stage.kind) {
      case Stage::Kind::kFilter:
        CollectLabels(stage.filter, needs.labels);
        break;
      case Stage::Kind::kLineFormat:
        add(*stage.format);
        break;
      case Stage::Kind::kLabelFormat:
        for (const Stage::Assign& assign : stage.assigns) {
          if (assign.format != nullptr) {
            add(*assign.format);
          } else {
            needs.labels.push_back(assign.source);
          }
        }
        break;
      case Stage::Kind::kDrop:
      case Stage::Kind::kKeep:
        for (const Matcher& matcher : stage.labels) needs.labels.push_back(matcher.label);
        break;
      default:
        needs.line = true;
    }
  }
  return needs;
}

}  // namespace kelp::loki
