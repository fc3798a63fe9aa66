#include "query/token_pattern.h"

#include <algorithm>

namespace kelp::query {
namespace {

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool IsAsciiTokenByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::optional<TokenPattern> TokenPattern::Make(std::string_view text, bool prefix) {
  std::vector<store::Token> found;
  store::Tokenize(text, found);
  if (found.empty()) return std::nullopt;
  TokenPattern pattern;
  // "foo-*": nothing has begun after the '-', so the tokens before it are whole ones.
  pattern.prefix_ = prefix && found.back().end == text.size();
  for (const store::Token& token : found) {
    std::string folded(text.substr(token.begin, token.end - token.begin));
    std::transform(folded.begin(), folded.end(), folded.begin(), FoldAscii);
    pattern.ascii_ = pattern.ascii_ && std::all_of(folded.begin(), folded.end(), IsAscii);
    if (!pattern.prefix_ || &token != &found.back()) {
      pattern.hashes_.push_back(store::TokenHash(folded));
    }
    if (!pattern.tokens_.empty() && folded.size() > pattern.tokens_[pattern.anchor_index_].size()) {
      pattern.anchor_index_ = pattern.tokens_.size();
    }
    pattern.tokens_.push_back(std::move(folded));
  }
  pattern.anchor_ = LiteralFinder(pattern.tokens_[pattern.anchor_index_], true);
  return pattern;
}

bool TokenPattern::Matches(std::string_view text, std::vector<store::Token>& scratch) const {
  for (size_t at = anchor_.Find(text); at != LiteralFinder::npos; at = anchor_.Find(text, at + 1)) {
    if (MatchesAt(text, at, scratch)) return true;
    if (decides_whole_text()) return false;
  }
  return false;
}

bool TokenPattern::MatchesAt(std::string_view text, size_t hit,
                             std::vector<store::Token>& scratch) const {
  if (!ascii_) return MatchesByTokens(text, scratch);
  const size_t end = hit + anchor_.size();
  const bool open_end = prefix_ && anchor_index_ + 1 == tokens_.size();
  if (hit > 0 && IsAsciiTokenByte(text[hit - 1])) return false;
  if (!open_end && end < text.size() && IsAsciiTokenByte(text[end])) return false;
  return BeforeFits(text, hit) && AfterFits(text, end);
}

// The tokens before the anchor, last one first, end where text[0, end) does but for separators.
bool TokenPattern::BeforeFits(std::string_view text, size_t end) const {
  for (size_t i = anchor_index_; i-- > 0;) {
    while (end > 0 && IsAscii(text[end - 1]) && !IsAsciiTokenByte(text[end - 1])) --end;
    const std::string& token = tokens_[i];
    if (end < token.size() || !EqualsFolded(text.data() + end - token.size(), token)) return false;
    end -= token.size();
    if (end > 0 && IsAsciiTokenByte(text[end - 1])) return false;
  }
  return true;
}

bool TokenPattern::AfterFits(std::string_view text, size_t begin) const {
  for (size_t i = anchor_index_ + 1; i < tokens_.size(); ++i) {
    while (begin < text.size() && IsAscii(text[begin]) && !IsAsciiTokenByte(text[begin])) ++begin;
    const std::string& token = tokens_[i];
    if (text.size() - begin < token.size() || !EqualsFolded(text.data() + begin, token)) {
      return false;
    }
    begin += token.size();
    const bool open_end = prefix_ && i + 1 == tokens_.size();
    if (!open_end && begin < text.size() && IsAsciiTokenByte(text[begin])) return false;
  }
  return true;
}

bool TokenPattern::MatchesByTokens(std::string_view text,
                                   std::vector<store::Token>& scratch) const {
  scratch.clear();
  store::Tokenize(text, scratch);
  const auto fits = [&](const store::Token& token, size_t i) {
    const size_t size = token.end - token.begin;
    const bool open_end = prefix_ && i + 1 == tokens_.size();
    return (open_end ? size >= tokens_[i].size() : size == tokens_[i].size()) &&
           EqualsFolded(text.data() + token.begin, tokens_[i]);
  };
  for (size_t first = 0; first + tokens_.size() <= scratch.size(); ++first) {
    size_t i = 0;
    while (i < tokens_.size() && fits(scratch[first + i], i)) ++i;
    if (i == tokens_.size()) return true;
  }
  return false;
}

}  // namespace kelp::query
