// Glob: a pattern of absolute paths; GlobSet: several, walked together one name at a time.
//
//   *      any characters but '/'         ?      one of them
//   [a-z]  one of a set, [!a-z] none      {a,b}  one of several texts, also with '/' inside
//   **     as a whole name: any number of directories; at the end also every file below
//   \x     the character x itself
//
// A set is walked with states, as a state machine over names, so that a directory is looked at only
// when something below it can match, and a new name costs no scan:
//
//   GlobSet::States at = set.Start();                 // at "/"
//   GlobSet::States next = set.Step(at, "var");       // at "/var"; empty: nothing below can match
//   set.Accepts(next)                                 // "/var" itself matches
//
// Owns:     what Parse made, jointly with all copies of the Glob and the sets it was added to.
// Threads:  immutable after Parse and Add.
// Limits:   kAlternativesMax texts from braces, kPatternBytesMax bytes.
// Tests:    glob_test.cc
#ifndef KELP_TAIL_GLOB_H_
#define KELP_TAIL_GLOB_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kelp::tail {

// True when `name` (no '/') matches `pattern`. An unclosed '[' stands for itself.
bool MatchName(std::string_view pattern, std::string_view name);

class Glob {
 public:
  static constexpr std::string_view kConfigType = "glob";
  // Braces multiply; more than this is a mistake or an attack.
  static constexpr size_t kAlternativesMax = 256;
  static constexpr size_t kPatternBytesMax = 4096;

  // One name of a path pattern.
  struct Segment {
    std::string text;        // without escapes when literal
    bool literal = false;    // no wildcard: at most one entry can match
    bool any_depth = false;  // "**"
  };
  using Path = std::vector<Segment>;

  Glob() = default;
  // Errors: kInvalidArgument for a relative path, an empty name, or an unclosed brace.
  static Result<Glob> Parse(std::string_view text);
  const std::string& ToString() const { return parsed_->text; }
  // Braces expanded; each is one path of segments.
  const std::vector<Path>& alternatives() const { return parsed_->alternatives; }

 private:
  friend class GlobSet;
  struct Parsed {
    std::string text;
    std::vector<Path> alternatives;
  };
  static const std::shared_ptr<const Parsed>& Nothing();
  // Shared by copies: an agent has thousands of patterns, each in its configuration, in its input
  // and in what is followed.
  std::shared_ptr<const Parsed> parsed_ = Nothing();
};

class GlobSet {
 public:
  // Where a walk stands: places in the patterns, sorted.
  struct State {
    uint32_t alternative = 0;
    uint32_t segment = 0;
    auto operator<=>(const State&) const = default;
  };
  using States = std::vector<State>;

  void Add(const Glob& glob);
  bool empty() const { return paths_.empty(); }
  States Start() const;
  // The states after one more name. REQUIRES: `name` is one name, without '/'.
  States Step(const States& states, std::string_view name) const;
  // The path walked so far matches a pattern.
  bool Accepts(const States& states) const;
  // Something below can match.
  bool Continues(const States& states) const;
  // The only names below that can match, or false when the directory must be listed.
  bool OnlyLiterals(const States& states, std::vector<std::string>& names) const;
  // Every way on goes through "**": symbolic links to directories are not followed then.
  bool OnlyAnyDepth(const States& states) const;
  // REQUIRES: `path` is absolute.
  bool Matches(std::string_view path) const;

 private:
  void Insert(States& states, State state) const;
  std::vector<std::shared_ptr<const Glob::Path>> paths_;  // each holds its Glob's
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_GLOB_H_
