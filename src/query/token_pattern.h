// TokenPattern: a word or phrase as the sequence of its tokens, ASCII case ignored.
//
// A '*' stands for what may be there: next to a token it leaves that end of the token open
// ("time*", "*out", "time*out" is one token), alone it stands for any tokens or none
// ("connection * peer"). "\*" in a phrase is plain punctuation.
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
  // nullopt when `text` has no token. `stars`: '*' has the meaning above, and else none.
  static std::optional<TokenPattern> Make(std::string_view text, bool stars);

  // Whether the tokens stand next to each other somewhere in `text`. `scratch` is working memory.
  bool Matches(std::string_view text, std::vector<store::Token>& scratch) const;

  // For scans over many texts at once: every match contains the anchor, and MatchesAt tells for an
  // anchor found at `hit` in `text` whether it is one.
  const LiteralFinder& anchor() const { return anchor_; }
  bool MatchesAt(std::string_view text, size_t hit, std::vector<store::Token>& scratch) const;
  // Whether MatchesAt decides about the whole text and not only about this hit.
  bool decides_whole_text() const { return !simple_; }

  // What a text that matches surely contains, as token filters know it.
  std::span<const uint64_t> hashes() const { return hashes_; }

 private:
  // One token that the text must have.
  struct Piece {
    std::vector<std::string> parts;  // in lower case; anything may stand between two of them
    bool open_begin = false;
    bool open_end = false;
    bool gap_before = false;  // other tokens may stand before it
    bool whole() const { return parts.size() == 1 && !open_begin && !open_end; }
  };

  TokenPattern() = default;
  void AddSection(std::string_view section, bool star_before, bool& joinable, bool& gap);
  void Finish();
  bool PieceFits(const Piece& piece, std::string_view token) const;
  bool MatchesByTokens(std::string_view text, std::vector<store::Token>& scratch) const;
  // Where pieces [first, end) fit at tokens from `at` on; SIZE_MAX: nowhere.
  bool RunFits(std::string_view text, const std::vector<store::Token>& tokens, size_t at,
               size_t first, size_t end) const;
  bool BeforeFits(std::string_view text, size_t end, bool& unsure) const;
  bool AfterFits(std::string_view text, size_t begin, bool& unsure) const;

  std::vector<Piece> pieces_;
  // ASCII tokens next to each other, of which only the last may be open at its end: then text
  // around the anchor decides, without cutting it into tokens.
  bool simple_ = true;
  size_t anchor_index_ = 0;
  LiteralFinder anchor_;
  std::vector<uint64_t> hashes_;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_TOKEN_PATTERN_H_
