// LiteralFinder: finds a literal in a buffer with vector instructions, with or without ASCII case.
//
// It compares two bytes of the literal, chosen for being rare in logs, at sixteen positions at
// once, and the whole literal only where both fit.
//
// Threads: immutable.
// Tests:   text_match_test.cc, query_eval_fuzz.cc
#ifndef KELP_QUERY_LITERAL_FINDER_H_
#define KELP_QUERY_LITERAL_FINDER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace kelp::query {

inline char FoldAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
// Equal but for ASCII case. REQUIRES: `folded` is in lower case already.
bool EqualsFolded(const char* text, std::string_view folded);

class LiteralFinder {
 public:
  static constexpr size_t npos = std::string_view::npos;

  LiteralFinder() = default;
  // REQUIRES: literal is not empty.
  LiteralFinder(std::string_view literal, bool ignore_case);

  // The first position >= from at which the literal stands, or npos.
  size_t Find(std::string_view text, size_t from = 0) const;
  // Whether the literal stands at `position`. REQUIRES: that many bytes are left.
  bool StandsAt(const char* position) const;

  bool empty() const { return literal_.empty(); }
  size_t size() const { return literal_.size(); }
  const std::string& literal() const { return literal_; }

 private:
  size_t FindSlow(std::string_view text, size_t from) const;

  std::string literal_;  // folded when case is ignored
  bool ignore_case_ = false;
  size_t first_ = 0;  // positions of the two probed bytes, first_ <= second_
  size_t second_ = 0;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_LITERAL_FINDER_H_
