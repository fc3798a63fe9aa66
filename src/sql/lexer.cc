#include "sql/lexer.h"

#include "sql/log_schema.h"

namespace kelp::sql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c) || c == '$'; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> Run() {
    while (SkipSpace(), at_ < text_.size()) tokens_.push_back(Next());
    tokens_.push_back({Token::Kind::kEnd, text_.size(), 0, ""});
    return std::move(tokens_);
  }

 private:
  bool StartsWith(std::string_view start) const { return text_.substr(at_).starts_with(start); }

  void SkipSpace() {
    while (at_ < text_.size()) {
      if (IsSpace(text_[at_])) {
        ++at_;
      } else if (StartsWith("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (StartsWith("/*")) {
        const size_t end = text_.find("*/", at_ + 2);
        at_ = end == text_.npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }

  Token Next() {
    Token token{Token::Kind::kSymbol, at_, 1, ""};
    const char c = text_[at_];
    if (IsNameStart(c)) {
      token.kind = Token::Kind::kName;
      token.size = Count(IsNamePart);
    } else if (IsDigit(c)) {
      token.kind = Token::Kind::kNumber;
      token.size = Count([](char d) { return IsDigit(d) || d == '.' || IsNamePart(d); });
    } else if (c == '"' || c == '\'') {
      token.kind = c == '"' ? Token::Kind::kQuotedName : Token::Kind::kString;
      return Quoted(token, c);
    }
    token.text = text_.substr(token.begin, token.size);
    at_ += token.size;
    return token;
  }

  template <typename Test>
  size_t Count(Test test) const {
    size_t end = at_;
    while (end < text_.size() && test(text_[end])) ++end;
    return end - at_;
  }

  Token Quoted(Token token, char quote) {
    size_t end = at_ + 1;
    while (end < text_.size()) {
      if (text_[end] == quote) {
        if (end + 1 >= text_.size() || text_[end + 1] != quote) break;
        ++end;  // doubled: one of them
      }
      token.text += text_[end++];
    }
    end = std::min(end + 1, text_.size());
    token.size = end - at_;
    at_ = end;
    return token;
  }

  const std::string_view text_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

std::string Quote(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

}  // namespace

bool Token::Is(std::string_view keyword) const {
  return kind == Kind::kName && LowerName(text) == keyword;
}

std::vector<Token> Tokenize(std::string_view text) { return Lexer(text).Run(); }
std::string QuoteName(std::string_view name) { return Quote(name, '"'); }
std::string QuoteText(std::string_view text) { return Quote(text, '\''); }

size_t FindPipe(std::string_view text) {
  char open = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (open != 0) {
      if (c == '\\') {
        ++i;
      } else if (c == open) {
        open = 0;
      }
      continue;
    }
    if (c == '|') return i;
    // A regular expression begins where a value does; elsewhere '/' belongs to a word.
    const bool at_value = i == 0 || IsSpace(text[i - 1]) || text[i - 1] == '(' ||
                          text[i - 1] == ':' || text[i - 1] == '-';
    if (c == '"' || (c == '/' && at_value)) open = c;
  }
  return text.npos;
}

}  // namespace kelp::sql
