#include "query/token_pattern.h"

#include <algorithm>

#include "query/script.h"

namespace kelp::query {
namespace {

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool IsAsciiTokenByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string Folded(std::string_view text) {
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), FoldAscii);
  return folded;
}

// One code point that is a token of its own: it has no inside and no open end.
bool IsSingle(std::string_view token) {
  std::string twice(token);
  twice += token;
  std::vector<store::Token> tokens;
  store::Tokenize(twice, tokens);
  return tokens.size() == 2;
}

}  // namespace

std::optional<TokenPattern> TokenPattern::Make(std::string_view text, bool stars) {
  TokenPattern pattern;
  bool joinable = false;  // a '*' right here goes on with the last piece
  bool gap = false;       // a '*' stood alone since the last piece
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = begin;
    while (end < text.size() && !(stars && text[end] == '*')) {
      end += stars && text[end] == '\\' && end + 1 < text.size() ? 2 : 1;
    }
    pattern.AddSection(text.substr(begin, end - begin), begin > 0, joinable, gap);
    begin = end + 1;
  }
  if (stars && joinable && !text.empty() && text.back() == '*' &&
      !IsSingle(pattern.pieces_.back().parts.back())) {
    pattern.pieces_.back().open_end = true;
  }
  if (pattern.pieces_.empty()) return std::nullopt;
  pattern.Finish();
  return pattern;
}

// The text between two stars. `joinable` tells whether the text before `section` ended in a token.
void TokenPattern::AddSection(std::string_view section, bool star_before, bool& joinable,
                              bool& gap) {
  std::vector<store::Token> tokens;
  store::Tokenize(section, tokens);
  std::erase_if(tokens, [&](const store::Token& token) {
    return IsPunctuation(section.substr(token.begin, token.end - token.begin));
  });
  const auto open_last = [this] {
    if (!IsSingle(pieces_.back().parts.back())) pieces_.back().open_end = true;
  };
  if (star_before && tokens.empty() && !section.empty()) {
    if (joinable) {
      open_last();
    } else {
      gap = true;
    }
  }
  for (const store::Token& token : tokens) {
    const std::string_view raw = section.substr(token.begin, token.end - token.begin);
    const bool star_touches = star_before && &token == tokens.data() && token.begin == 0;
    const bool first = &token == tokens.data();
    const bool left_open = star_before && first && joinable && !pieces_.empty();
    if (star_touches && left_open && IsAscii(raw[0]) == IsAscii(pieces_.back().parts[0][0]) &&
        !IsSingle(raw) && !IsSingle(pieces_.back().parts.back())) {
      pieces_.back().parts.push_back(Folded(raw));
      continue;
    }
    if (left_open) open_last();
    Piece piece;
    piece.parts.push_back(Folded(raw));
    piece.open_begin = star_touches && !IsSingle(raw);
    // "time* out" and "time *out" have an open end and no gap; "time * out" has a gap.
    gap = gap || (first && star_before && left_open == star_touches);
    piece.gap_before = gap && !pieces_.empty();
    gap = false;
    if (IsUnspaced(raw)) piece.open_begin = piece.open_end = true;
    pieces_.push_back(std::move(piece));
  }
  joinable = !tokens.empty() ? tokens.back().end == section.size()
                             : joinable && star_before && section.empty();
}

void TokenPattern::Finish() {
  size_t longest = 0;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const bool last = i + 1 == pieces_.size();
    simple_ = simple_ && piece.parts.size() == 1 && !piece.open_begin &&
              (!piece.open_end || last) && !piece.gap_before &&
              std::all_of(piece.parts[0].begin(), piece.parts[0].end(), IsAscii);
    if (piece.whole()) hashes_.push_back(store::TokenHash(piece.parts[0]));
    for (const std::string& part : piece.parts) {
      if (part.size() <= longest) continue;
      longest = part.size();
      anchor_index_ = i;
      anchor_ = LiteralFinder(part, true);
    }
  }
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
  if (!simple_) return MatchesByTokens(text, scratch);
  const size_t end = hit + anchor_.size();
  const bool open_end = pieces_[anchor_index_].open_end;
  if (hit > 0 && IsAsciiTokenByte(text[hit - 1])) return false;
  if (!open_end && end < text.size() && IsAsciiTokenByte(text[end])) return false;
  bool unsure = false;  // other scripts stand between
  const bool fits = BeforeFits(text, hit, unsure) && AfterFits(text, end, unsure);
  return unsure ? MatchesByTokens(text, scratch) : fits;
}

// The tokens before the anchor, last one first, end where text[0, end) does but for separators.
bool TokenPattern::BeforeFits(std::string_view text, size_t end, bool& unsure) const {
  for (size_t i = anchor_index_; i-- > 0;) {
    while (end > 0 && IsAscii(text[end - 1]) && !IsAsciiTokenByte(text[end - 1])) --end;
    if (end > 0 && !IsAscii(text[end - 1])) unsure = true;
    const std::string& token = pieces_[i].parts[0];
    if (end < token.size() || !EqualsFolded(text.data() + end - token.size(), token)) return false;
    end -= token.size();
    if (end > 0 && IsAsciiTokenByte(text[end - 1])) return false;
  }
  return true;
}

bool TokenPattern::AfterFits(std::string_view text, size_t begin, bool& unsure) const {
  for (size_t i = anchor_index_ + 1; i < pieces_.size(); ++i) {
    while (begin < text.size() && IsAscii(text[begin]) && !IsAsciiTokenByte(text[begin])) ++begin;
    if (begin < text.size() && !IsAscii(text[begin])) unsure = true;
    const std::string& token = pieces_[i].parts[0];
    if (text.size() - begin < token.size() || !EqualsFolded(text.data() + begin, token)) {
      return false;
    }
    begin += token.size();
    if (!pieces_[i].open_end && begin < text.size() && IsAsciiTokenByte(text[begin])) return false;
  }
  return true;
}

bool TokenPattern::PieceFits(const Piece& piece, std::string_view token) const {
  const auto stands_at = [&](const std::string& part, size_t at) {
    return EqualsFolded(token.data() + at, part);
  };
  size_t at = 0;
  size_t end = token.size();
  size_t first = 0;
  size_t last = piece.parts.size();
  if (!piece.open_begin) {
    const std::string& part = piece.parts.front();
    if (token.size() < part.size() || !stands_at(part, 0)) return false;
    at = part.size();
    if (++first == last) return piece.open_end || at == token.size();
  }
  if (!piece.open_end) {
    const std::string& part = piece.parts.back();
    if (end - at < part.size() || !stands_at(part, end - part.size())) return false;
    end -= part.size();
    --last;
  }
  for (; first < last; ++first) {  // the leftmost place leaves most for the others
    const std::string& part = piece.parts[first];
    while (at + part.size() <= end && !stands_at(part, at)) ++at;
    if (at + part.size() > end) return false;
    at += part.size();
  }
  return true;
}

bool TokenPattern::RunFits(std::string_view text, const std::vector<store::Token>& tokens,
                           size_t at, size_t first, size_t end) const {
  for (size_t i = first; i < end; ++i, ++at) {
    if (at >= tokens.size()) return false;
    if (!PieceFits(pieces_[i], text.substr(tokens[at].begin, tokens[at].end - tokens[at].begin))) {
      return false;
    }
  }
  return true;
}

bool TokenPattern::MatchesByTokens(std::string_view text,
                                   std::vector<store::Token>& scratch) const {
  scratch.clear();
  store::Tokenize(text, scratch);
  std::erase_if(scratch, [&](const store::Token& token) {
    return !IsAscii(text[token.begin]) &&
           IsPunctuation(text.substr(token.begin, token.end - token.begin));
  });
  // Runs of pieces without a gap, each at the first place where it fits behind the one before.
  size_t at = 0;
  for (size_t first = 0; first < pieces_.size();) {
    size_t end = first + 1;
    while (end < pieces_.size() && !pieces_[end].gap_before) ++end;
    while (at + (end - first) <= scratch.size() && !RunFits(text, scratch, at, first, end)) ++at;
    if (at + (end - first) > scratch.size()) return false;
    at += end - first;
    first = end;
  }
  return true;
}

}  // namespace kelp::query
