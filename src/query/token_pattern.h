// TokenPattern: a word or phrase as the sequence of its tokens, ASCII case ignored.
//
// Threads: immutable.
// Format:  docs/formats/query.md ("word", "token")
// Tests:   text_match_test.cc, search_property_test.cc, query_eval_fuzz.cc
#ifndef KELP_QUERY_TOKEN_PATTERN_H_
#define KELP_QUERY_TOKEN_PATTERN_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/literal_finder.h"
#include "store/tokens.h"

namespace kelp::query {

class TokenPattern {
 public:
  // nullopt when `text` has no token. `prefix`: the last token need only begin so.
  static std::optional<TokenPattern> Make(std::string_view text, bool prefix);

  // Whether the tokens stand next to each other somewhere in `text`. `scratch` is working memory.
  bool Matches(std::string_view text, std::vector<store::Token>& scratch) const;

  // For scans over many texts at once: every match contains the anchor, and MatchesAt tells for an
  // anchor found at `hit` in `text` whether it is one.
  const LiteralFinder& anchor() const { return anchor_; }
  bool MatchesAt(std::string_view text, size_t hit, std::vector<store::Token>& scratch) const;
  // Whether MatchesAt decides about the whole text and not only about this hit.
  bool decides_whole_text() const { return !ascii_; }

  // What a text that matches surely contains, as token filters know it.
  std::span<const uint64_t> hashes() const { return hashes_; }

 private:
  TokenPattern() = default;
  bool MatchesByTokens(std::string_view text, std::vector<store::Token>& scratch) const;
  bool BeforeFits(std::string_view text, size_t end) const;
  bool AfterFits(std::string_view text, size_t begin) const;

  std::vector<std::string> tokens_;  // in lower case
  bool prefix_ = false;
  bool ascii_ = true;
  size_t anchor_index_ = 0;
  LiteralFinder anchor_;
  std::vector<uint64_t> hashes_;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_TOKEN_PATTERN_H_
