#include "tail/glob.h"

#include <algorithm>

namespace kelp::tail {
namespace {

// The end of the set that starts at `pattern[open]`, or npos. "[]a]" and "[!]a]" hold a ']'.
size_t SetEnd(std::string_view pattern, size_t open) {
  size_t i = open + 1;
  if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  while (i < pattern.size() && pattern[i] != ']') ++i;
  return i < pattern.size() ? i : std::string_view::npos;
}

bool InSet(std::string_view set, char c) {
  const bool negated = !set.empty() && (set[0] == '!' || set[0] == '^');
  bool found = false;
  for (size_t i = negated ? 1 : 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found |= set[i] <= c && c <= set[i + 2];
      i += 2;
    } else {
      found |= set[i] == c;
    }
  }
  return found != negated;
}

// Matches one element of the pattern at `p` against `c`; moves `p` behind it.
bool MatchOne(std::string_view pattern, size_t& p, char c) {
  const char element = pattern[p];
  if (element == '?') {
    ++p;
    return true;
  }
  if (element == '[') {
    const size_t end = SetEnd(pattern, p);
    if (end != std::string_view::npos) {
      const bool match = InSet(pattern.substr(p + 1, end - p - 1), c);
      p = end + 1;
      return match;
    }
  }
  if (element == '\\' && p + 1 < pattern.size()) ++p;
  return pattern[p++] == c;
}

bool HasWildcard(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '*' || text[i] == '?' ||
               (text[i] == '[' && SetEnd(text, i) != std::string_view::npos)) {
      return true;
    }
  }
  return false;
}

std::string Unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

// Expands the first brace group of `text` and goes on with each result.
Status ExpandBraces(std::string_view text, std::vector<std::string>& out) {
  size_t open = std::string_view::npos;
  int depth = 0;
  std::vector<size_t> cuts;
  size_t close = std::string_view::npos;
  for (size_t i = 0; i < text.size() && close == std::string_view::npos; ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      if (depth++ == 0) open = i;
    } else if (text[i] == ',' && depth == 1) {
      cuts.push_back(i);
    } else if (text[i] == '}' && depth > 0 && --depth == 0) {
      close = i;
    }
  }
  if (depth > 0) return InvalidArgumentError("a '{' has no '}'");
  if (close == std::string_view::npos) {
    if (out.size() >= Glob::kAlternativesMax) {
      return InvalidArgumentError("the braces make more than " +
                                  std::to_string(Glob::kAlternativesMax) + " patterns");
    }
    out.emplace_back(text);
    return OkStatus();
  }
  cuts.push_back(close);
  size_t from = open + 1;
  for (const size_t cut : cuts) {
    std::string one(text.substr(0, open));
    one += text.substr(from, cut - from);
    one += text.substr(close + 1);
    RETURN_IF_ERROR(ExpandBraces(one, out));
    from = cut + 1;
  }
  return OkStatus();
}

Result<Glob::Path> SplitPath(std::string_view text) {
  if (text.empty() || text[0] != '/') {
    return InvalidArgumentError("it must be an absolute path, starting with '/'");
  }
  Glob::Path path;
  size_t from = 1;
  while (from <= text.size()) {
    const size_t slash = std::min(text.find('/', from), text.size());
    const std::string_view name = text.substr(from, slash - from);
    from = slash + 1;
    if (name.empty()) return InvalidArgumentError("it has an empty name between or after slashes");
    if (name == "." || name == "..") {
      return InvalidArgumentError("\".\" and \"..\" are not understood in patterns");
    }
    Glob::Segment segment;
    segment.any_depth = name == "**";
    segment.literal = !HasWildcard(name);
    segment.text = segment.literal ? Unescaped(name) : std::string(name);
    const bool repeated = segment.any_depth && !path.empty() && path.back().any_depth;
    if (!repeated) path.push_back(std::move(segment));
  }
  // "/a/**" means every file below: the any-depth part and then any name.
  if (path.back().any_depth) path.push_back({"*", false, false});
  return path;
}

}  // namespace

bool MatchName(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;  // behind the last '*'
  size_t retry = 0;                      // where its match may be tried longer
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      retry = n;
    } else if (p < pattern.size() && MatchOne(pattern, p, name[n])) {
      ++n;
    } else if (star != std::string_view::npos) {
      p = star;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<Glob> Glob::Parse(std::string_view text) {
  const std::string context = "the pattern \"" + std::string(text.substr(0, 200)) + "\"";
  if (text.size() > kPatternBytesMax) {
    return InvalidArgumentError(context + "... is longer than " + std::to_string(kPatternBytesMax) +
                                " bytes");
  }
  auto parsed = std::make_shared<Parsed>();
  parsed->text = text;
  std::vector<std::string> expanded;
  RETURN_IF_ERROR(ExpandBraces(text, expanded).Annotate(context));
  for (const std::string& one : expanded) {
    Result<Path> path = SplitPath(one);
    if (!path.ok()) return path.status().Annotate(context);
    // Without room to grow: it stays for as long as its pipeline.
    path->shrink_to_fit();
    parsed->alternatives.push_back(std::move(path).value());
  }
  Glob glob;
  glob.parsed_ = std::move(parsed);
  return glob;
}

const std::shared_ptr<const Glob::Parsed>& Glob::Nothing() {
  static const auto* const nothing =
      new std::shared_ptr<const Parsed>(std::make_shared<const Parsed>());
  return *nothing;
}

void GlobSet::Add(const Glob& glob) {
  for (const Glob::Path& path : glob.alternatives()) paths_.emplace_back(glob.parsed_, &path);
}

void GlobSet::Insert(States& states, State state) const {
  if (std::find(states.begin(), states.end(), state) != states.end()) return;
  states.push_back(state);
  // "**" may stand for no directory at all: what follows it is possible at once.
  const Glob::Path& path = *paths_[state.alternative];
  if (state.segment < path.size() && path[state.segment].any_depth) {
    Insert(states, {state.alternative, state.segment + 1});
  }
}

GlobSet::States GlobSet::Start() const {
  States states;
  for (uint32_t i = 0; i < paths_.size(); ++i) Insert(states, {i, 0});
  return states;
}

GlobSet::States GlobSet::Step(const States& states, std::string_view name) const {
  States next;
  for (const State& state : states) {
    const Glob::Path& path = *paths_[state.alternative];
    if (state.segment >= path.size()) continue;
    const Glob::Segment& segment = path[state.segment];
    if (segment.any_depth) {
      Insert(next, state);
    } else if (segment.literal ? segment.text == name : MatchName(segment.text, name)) {
      Insert(next, {state.alternative, state.segment + 1});
    }
  }
  std::sort(next.begin(), next.end());
  return next;
}

bool GlobSet::Accepts(const States& states) const {
  for (const State& state : states) {
    if (state.segment == paths_[state.alternative]->size()) return true;
  }
  return false;
}

bool GlobSet::Continues(const States& states) const {
  for (const State& state : states) {
    if (state.segment < paths_[state.alternative]->size()) return true;
  }
  return false;
}

bool GlobSet::OnlyLiterals(const States& states, std::vector<std::string>& names) const {
  names.clear();
  for (const State& state : states) {
    const Glob::Path& path = *paths_[state.alternative];
    if (state.segment >= path.size()) continue;
    const Glob::Segment& segment = path[state.segment];
    if (!segment.literal) return false;
    if (std::find(names.begin(), names.end(), segment.text) == names.end()) {
      names.push_back(segment.text);
    }
  }
  return true;
}

bool GlobSet::OnlyAnyDepth(const States& states) const {
  for (const State& state : states) {
    const Glob::Path& path = *paths_[state.alternative];
    if (state.segment >= path.size() || path[state.segment].any_depth) continue;
    // What follows "**" is there only because "**" may be empty; it counts as part of it.
    if (state.segment > 0 && path[state.segment - 1].any_depth) continue;
    return false;
  }
  return true;
}

bool GlobSet::Matches(std::string_view path) const {
  States states = Start();
  size_t from = 1;
  while (from <= path.size() && !states.empty()) {
    const size_t slash = std::min(path.find('/', from), path.size());
    states = Step(states, path.substr(from, slash - from));
    from = slash + 1;
  }
  return Accepts(states);
}

}  // namespace kelp::tail
