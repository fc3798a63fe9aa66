// Problems: everything that is wrong with a configuration, each with its place, told at once.
#ifndef KELP_CONFIG_PROBLEMS_H_
#define KELP_CONFIG_PROBLEMS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/node.h"

namespace kelp::config {

struct Problem {
  std::string file;
  int line = 0;          // from 1; 0: not known
  int column = 0;        // from 1; 0: not known
  std::string key_path;  // "pipelines[0].inputs[1].include"
  std::string message;

  // "file:line:col: message"; what is not known is left out.
  std::string ToString() const;
};

// Collects problems while a configuration is read, so that an operator mends all of them in one go.
//
// Threads:  thread-compatible.
// Limits:   keeps the first kProblemsMax and counts the rest, so that a hostile file cannot make
//           its own error message large.
class Problems {
 public:
  // Nobody reads more; the counter of what was left out is part of ToString().
  static constexpr size_t kProblemsMax = 1000;

  void Add(Problem problem);
  // At the place of `node`.
  void Add(const ConfigNode& node, std::string key_path, std::string message);
  void Add(const Place& place, std::string key_path, std::string message);

  bool empty() const { return list_.empty(); }
  size_t size() const { return list_.size() + left_out_; }
  // In the order of files as they were first named, then by line and column.
  std::vector<Problem> Sorted() const;
  // One line per problem, in the order of Sorted(), each ending with a newline.
  std::string ToString() const;
  // OK when empty, else kInvalidArgument with ToString() (less the last newline) as its message.
  Status ToStatus() const;

 private:
  std::vector<Problem> list_;
  size_t left_out_ = 0;
};

// The nearest of `names` to `word`, or empty when none is near enough to be a slip of the finger
// (Damerau-Levenshtein distance of at most a third of the length, at least one).
std::string_view NearestName(std::string_view word, const std::vector<std::string_view>& names);

}  // namespace kelp::config

#endif  // KELP_CONFIG_PROBLEMS_H_
