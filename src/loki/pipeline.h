// Pipeline: the stages behind a selector, ready to run over entries; Selector: its matchers.
//
// Place:    a worker of a query makes one of each.
// Owns:     working memory of regular expressions. Borrows the query.
// Threads:  confined to one thread.
// Limits:   steps of a regular expression on one line (codec/regex.h); a line on which it gives up
//           does not match.
// Tests:    case_test.cc (tests/cases/logql)
#ifndef KELP_LOKI_PIPELINE_H_
#define KELP_LOKI_PIPELINE_H_

#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "loki/ast.h"
#include "loki/entry.h"

namespace kelp::loki {

// Runs matchers with their regular expressions.
class MatcherRun {
 public:
  bool Matches(const Matcher& matcher, std::string_view value);
  bool Matches(const Pattern& pattern, std::string_view text) {
    return Of(pattern).Match(text) == codec::RegexOutcome::kMatch;
  }
  codec::RegexMatcher& Of(const Pattern& pattern);

 private:
  std::unordered_map<const Pattern*, codec::RegexMatcher> runs_;
};

class Pipeline {
 public:
  explicit Pipeline(std::span<const Stage> stages) : stages_(stages) {}

  // False: a stage filtered the entry out.
  bool Run(Entry& entry);
  MatcherRun& matchers() { return run_; }

 private:
  bool RunStage(const Stage& stage, Entry& entry);
  bool LinePasses(const LineFilter& filter, std::string_view line);
  bool Contains(const LineFilter& filter, const LineFilter::Text& text, std::string_view line);
  bool Passes(const LabelFilter& filter, Entry& entry);
  static bool Compares(const LabelFilter& filter, Entry& entry);
  void FormatLabels(const Stage& stage, Entry& entry);
  void DropOrKeep(const Stage& stage, Entry& entry);
  static std::string_view Write(const Template& format, Entry& entry);

  const std::span<const Stage> stages_;
  MatcherRun run_;
};

// The value that an unwrap asks for. Absent: no such label. A value that is no number sets
// __error__ and is absent too.
std::optional<double> UnwrapValue(const Unwrap& unwrap, Entry& entry);

// What stages read besides the stream's labels.
struct Needs {
  bool line = false;
  std::vector<std::string> labels;  // named ones
};
Needs NeedsOf(std::span<const Stage> stages);

}  // namespace kelp::loki

#endif  // KELP_LOKI_PIPELINE_H_
