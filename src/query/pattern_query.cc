#include "query/pattern_query.h"

#include <algorithm>
#include <array>
#include <vector>

#include "codec/utf8.h"
#include "query/line_mask.h"
#include "query/script.h"
#include "store/tokens.h"

namespace kelp::query {
namespace {

constexpr std::array<std::string_view, 6> kMarks = {"<time>", "<ip>",  "<id>",
                                                    "<num>",  "<str>", "<*>"};

size_t MarkSize(std::string_view text) {
  for (const std::string_view mark : kMarks) {
    if (text.starts_with(mark)) return mark.size();
  }
  return 0;
}

// Appends the tokens of the text between two marks, but for those that touch one.
void AddTokens(std::string_view text, bool mark_before, bool mark_after, std::string& out) {
  std::vector<store::Token> tokens;
  store::Tokenize(text, tokens);
  std::erase_if(tokens, [&](const store::Token& token) {
    return (mark_before && token.begin == 0) || (mark_after && token.end == text.size()) ||
           IsPunctuation(text.substr(token.begin, token.end - token.begin));
  });
  bool first = true;
  for (const store::Token& token : tokens) {
    if (!out.empty()) out += first && mark_before ? " * " : " ";
    out += text.substr(token.begin, token.end - token.begin);
    first = false;
  }
}

}  // namespace

std::string PatternQuery(std::string_view pattern, bool cut) {
  if (!codec::IsUtf8(pattern)) return "";  // nobody could type it
  cut = cut || static_cast<size_t>(std::count(pattern.begin(), pattern.end(), ' ')) + 1 >=
                   kMaskedTokensMax;
  std::string phrase;
  bool mark_before = false;
  for (size_t begin = 0, at = 0; at <= pattern.size();) {
    const size_t mark = at == pattern.size() ? 0 : MarkSize(pattern.substr(at));
    if (mark == 0 && at < pattern.size()) {
      ++at;
      continue;
    }
    AddTokens(pattern.substr(begin, at - begin), mark_before, mark != 0 || cut, phrase);
    mark_before = true;
    at += std::max<size_t>(mark, 1);
    begin = at;
  }
  return phrase.empty() ? phrase : '"' + phrase + '"';
}

}  // namespace kelp::query
