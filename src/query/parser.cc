#include "query/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "query/limits.h"

namespace kelp::query {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '/' || c == '@' || static_cast<unsigned char>(c) >= 0x80;
}

// Punctuation that joins pieces of a word as logs write them: user=7, a,b, x+y, 50%3A, it's.
bool IsJoiner(char c) { return std::string_view("=,;+&%#$!?~'").find(c) != std::string_view::npos; }

// Where the word that begins at `at` ends; `at` when none begins there.
size_t WordEnd(std::string_view text, size_t at) {
  if (at >= text.size() || !IsWordByte(text[at])) return at;
  while (at < text.size() && (IsWordByte(text[at]) || (IsJoiner(text[at]) && at + 1 < text.size() &&
                                                       IsWordByte(text[at + 1])))) {
    ++at;
  }
  return at;
}

// The same for a word in which '*' may stand for anything.
size_t WordEndWithStars(std::string_view text, size_t at) {
  for (size_t end = at;;) {
    at = WordEnd(text, end);
    while (at < text.size() && text[at] == '*') ++at;
    if (at == end) return end;
    end = at;
  }
}

bool IsKeyword(std::string_view word) { return word == "AND" || word == "OR" || word == "NOT"; }

// How an error message shows the character (or keyword) at hand.
std::string Quoted(std::string_view rest) {
  size_t size = 1;
  while (size < rest.size() && IsWordByte(rest[0]) && IsWordByte(rest[size]) && size < 40) ++size;
  return fmt::format("'{}'", rest.substr(0, size));
}

class Parser {
 public:
  Parser(std::string_view text, ParseError& error) : text_(text), error_(error) {}

  std::optional<Tree> Run() {
    if (text_.size() > kQueryBytesMax) {
      Fail(kQueryBytesMax, fmt::format("the query is longer than {} bytes", kQueryBytesMax));
      return std::nullopt;
    }
    SkipSpace();
    if (AtEnd()) return std::move(tree_);  // everything
    if (!ParseOr(tree_.root)) return std::nullopt;
    if (!AtEnd()) {
      Fail(at_, "there is no '(' for this ')'");
      return std::nullopt;
    }
    return std::move(tree_);
  }

 private:
  // --- the grammar; each leaves at_ on the next character that is no space ---

  bool ParseOr(Node& out) {
    return ParseList(
        out, Node::Kind::kOr, [this](Node& item) { return ParseAnd(item); },
        [this] { return TakeKeyword("OR"); });
  }

  bool ParseAnd(Node& out) {
    return ParseList(
        out, Node::Kind::kAnd, [this](Node& item) { return ParseNot(item); },
        [this] {
          if (TakeKeyword("AND")) return true;
          return !AtEnd() && Peek() != ')' && KeywordHere() != "OR";
        });
  }

  template <typename ParseItem, typename TakeSeparator>
  bool ParseList(Node& out, Node::Kind kind, ParseItem&& parse_item, TakeSeparator&& separator) {
    Node first;
    if (!parse_item(first)) return false;
    if (!separator()) {
      out = std::move(first);
      return true;
    }
    out.kind = kind;
    out.children.push_back(std::move(first));
    do {
      if (!parse_item(out.children.emplace_back())) return false;
    } while (separator());
    return true;
  }

  bool ParseNot(Node& out) {
    const size_t begin = at_;
    if (TakeKeyword("NOT")) {
      if (AtEnd()) return Fail(at_, "expected a word, a phrase or '(' after NOT");
    } else if (!AtEnd() && Peek() == '-') {
      ++at_;
      if (AtEnd() || IsSpace(Peek())) {
        return Fail(begin, "'-' needs what it excludes right after it; quote it to look for it");
      }
    } else {
      return ParsePrimary(out);
    }
    if (++depth_ > kNestingMax) return FailNesting(begin);
    out.kind = Node::Kind::kNot;
    if (!ParseNot(out.children.emplace_back())) return false;
    --depth_;
    return true;
  }

  bool ParsePrimary(Node& out) {
    if (AtEnd()) return Fail(at_, "expected a word, a phrase, a field or '(', found the end");
    const std::string_view keyword = KeywordHere();
    if (!keyword.empty()) {
      return Fail(at_, "expected a word, a phrase, a field or '(', found " + std::string(keyword) +
                           "; write \"" + std::string(keyword) + "\" to look for it");
    }
    if (Peek() == '(') return ParseGroup(out);
    if (Peek() == '*' && WordEndWithStars(text_, at_) == at_ + 1) {
      ++at_;
      return EndValue("'*'");
    }
    return ParseFieldOrValue(out);
  }

  bool ParseGroup(Node& out) {
    const size_t begin = at_++;
    if (++depth_ > kNestingMax) return FailNesting(begin);
    SkipSpace();
    if (!AtEnd() && Peek() == ')') return Fail(at_, "expected a query between '(' and ')'");
    if (!ParseOr(out)) return false;
    if (AtEnd()) return Fail(begin, "this '(' is never closed; expected ')'");
    ++at_;
    --depth_;
    SkipSpace();
    return true;
  }

  bool ParseFieldOrValue(Node& out) {
    const size_t begin = at_;
    std::string name;
    if (Peek() == '"') {
      if (!TakePhrase(name)) return false;
    } else if (Peek() != '/') {
      name = TakeWord();
    }
    if (at_ > begin && !AtEnd() && Peek() == ':') {
      if (name.empty()) return Fail(begin, "expected the name of a field before ':'");
      ++at_;
      return ParseFieldValue(std::move(name), out);
    }
    at_ = begin;
    return ParseValue({}, out);
  }

  bool ParseFieldValue(std::string field, Node& out) {
    if (AtEnd() || IsSpace(Peek()) || Peek() == ')') {
      return Fail(at_, "expected a value right after ':'");
    }
    Term term;
    term.field = std::move(field);
    if (Peek() == '*' && WordEndWithStars(text_, at_) == at_ + 1) {
      ++at_;
      term.kind = Term::Kind::kPresent;
      return AddTerm(std::move(term), out) && EndValue("'*'");
    }
    switch (Peek()) {
      case '[':
      case '{':
        return ParseRange(std::move(term), out);
      case '<':
      case '>':
      case '=':
        return ParseComparison(std::move(term), out);
      default:
        return ParseValue(std::move(term), out);
    }
  }

  // word | "phrase" | /regex/ | net | IPv6 address
  bool ParseValue(Term term, Node& out) {
    const size_t begin = at_;
    const char c = Peek();
    if (c == '/') return ParseRegex(std::move(term), out);
    if (!term.field.empty() && TakeNet(term)) {
      return AddTerm(std::move(term), out) && EndValue("the address");
    }
    const char* what = "a phrase";
    if (c == '"') {
      if (!TakePhrase(term.text)) return false;
    } else {
      at_ = WordEndWithStars(text_, at_);
      term.text = std::string(text_.substr(begin, at_ - begin));
      if (at_ == begin) return FailUnexpected();
      what = "a word";
    }
    term.kind = Term::Kind::kTokens;
    term.stars = true;
    term.tokens = TokenPattern::Make(term.text, term.stars);
    if (!term.tokens) {
      return Fail(begin, std::string(what) +
                             " needs a letter or a digit; use /regex/ to look for punctuation");
    }
    return AddTerm(std::move(term), out) && EndValue(what);
  }

  // 10.0.0.0/8, 2001:db8::/32, or an IPv6 address alone, which is a net of one.
  bool TakeNet(Term& term) {
    size_t size = Ipv6TextSize(text_.substr(at_));
    if (size == 0) size = WordEnd(text_, at_) - at_;
    const std::string_view text = text_.substr(at_, size);
    std::optional<IpNet> net = IpNet::Parse(text);
    if (!net && text.find(':') != std::string_view::npos) {
      if (const auto address = IpAddress::Parse(text)) net = IpNet{*address, 128};
    }
    if (!net) return false;
    term.kind = Term::Kind::kNet;
    term.text = std::string(text);
    term.net = net;
    at_ += size;
    return true;
  }

  bool ParseComparison(Term term, Node& out) {
    const char op = Peek();
    ++at_;
    const bool or_equal = op != '=' && !AtEnd() && Peek() == '=';
    if (or_equal) ++at_;
    std::string value;
    if (!TakeOperand("a word or a phrase right after the comparison", value)) return false;
    if (op == '=') {
      term.kind = Term::Kind::kEqual;
      term.number = Number::Parse(value);
      term.ip = IpAddress::Parse(value);
      if (term.ip && term.ip->is_v4()) term.ip.reset();  // those have one spelling
      term.text = std::move(value);
    } else {
      term.kind = Term::Kind::kRange;
      (op == '>' ? term.low : term.high) = MakeBound(std::move(value), or_equal);
    }
    return AddTerm(std::move(term), out) && EndValue("the comparison");
  }

  bool ParseRange(Term term, Node& out) {
    const size_t begin = at_;
    term.kind = Term::Kind::kRange;
    const bool low_inclusive = Peek() == '[';
    ++at_;
    std::string low, high;
    bool low_open = false, high_open = false;
    SkipSpace();
    if (!TakeBound(low, low_open)) return false;
    SkipSpace();
    if (text_.substr(at_, 2) != "TO" || (at_ + 2 < text_.size() && !IsSpace(text_[at_ + 2]))) {
      return Fail(at_, "expected TO between the two ends of the range");
    }
    at_ += 2;
    SkipSpace();
    if (!TakeBound(high, high_open)) return false;
    SkipSpace();
    if (AtEnd()) return Fail(begin, "this range is never closed; expected ']' or '}'");
    if (Peek() != ']' && Peek() != '}') return Fail(at_, "expected ']' or '}' after the range");
    const bool high_inclusive = Peek() == ']';
    ++at_;
    if (low_open && high_open) {
      term.kind = Term::Kind::kPresent;
    } else {
      if (!low_open) term.low = MakeBound(std::move(low), low_inclusive);
      if (!high_open) term.high = MakeBound(std::move(high), high_inclusive);
    }
    return AddTerm(std::move(term), out) && EndValue("the range");
  }

  bool ParseRegex(Term term, Node& out) {
    const size_t begin = ++at_;
    while (!AtEnd() && Peek() != '/') at_ += Peek() == '\\' ? 2 : 1;
    if (at_ >= text_.size()) {
      return Fail(begin - 1,
                  "the regular expression that begins here has no closing '/'; quote "
                  "a path to look for it");
    }
    term.kind = Term::Kind::kRegex;
    term.text = std::string(text_.substr(begin, at_ - begin));
    ++at_;
    if (++regexes_ > kRegexesMax) {
      return Fail(begin - 1, fmt::format("more than {} regular expressions", kRegexesMax));
    }
    std::string why;
    size_t where = 0;
    term.regex = Regex::Compile(term.text, why, where);
    if (term.regex == nullptr) return Fail(begin + where, "regular expression: " + why);
    return AddTerm(std::move(term), out) &&
           EndValue("the regular expression (quote a path to look for it)");
  }

  // --- pieces ---

  std::string TakeWord() {
    const size_t begin = at_;
    at_ = WordEnd(text_, at_);
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool TakePhrase(std::string& out) {
    const size_t begin = at_++;
    for (; !AtEnd() && Peek() != '"'; ++at_) {
      const bool escape = Peek() == '\\' && at_ + 1 < text_.size() &&
                          (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\');
      if (escape) ++at_;
      out += Peek();
    }
    if (AtEnd()) return Fail(begin, "the phrase that begins here has no closing '\"'");
    ++at_;
    return true;
  }

  bool TakeOperand(const char* expected, std::string& out) {
    if (!AtEnd() && Peek() == '"') return TakePhrase(out);
    if (const size_t size = Ipv6TextSize(text_.substr(std::min(at_, text_.size()))); size != 0) {
      out = text_.substr(at_, size);
      at_ += size;
      return true;
    }
    out = TakeWord();
    if (!out.empty()) return true;
    return Fail(at_, std::string("expected ") + expected);
  }

  bool TakeBound(std::string& out, bool& open) {
    if (!AtEnd() && Peek() == '*') {
      ++at_;
      open = true;
      return true;
    }
    return TakeOperand("a word, a phrase or '*' as an end of the range", out);
  }

  static Bound MakeBound(std::string text, bool inclusive) {
    const std::optional<Number> number = Number::Parse(text);
    const std::optional<IpAddress> ip = IpAddress::Parse(text);
    return {inclusive, std::move(text), number, ip};
  }

  bool AddTerm(Term term, Node& out) {
    if (tree_.terms.size() >= kTermsMax) {
      return Fail(at_, fmt::format("more than {} words and conditions", kTermsMax));
    }
    out.kind = Node::Kind::kTerm;
    out.term = static_cast<uint32_t>(tree_.terms.size());
    tree_.terms.push_back(std::move(term));
    return true;
  }

  // After a value come a space, ')' or the end.
  bool EndValue(const char* what) {
    if (!AtEnd() && !IsSpace(Peek()) && Peek() != ')') {
      std::string message = "expected a space, ')' or the end after ";
      message += what;
      message += ", found " + Quoted(text_.substr(at_));
      if (Peek() == ':') message += "; put text with ':' in quotes";
      return Fail(at_, std::move(message));
    }
    SkipSpace();
    return true;
  }

  std::string_view KeywordHere() const {
    const size_t end = WordEnd(text_, at_);
    const std::string_view word = text_.substr(at_, end - at_);
    // "AND:x" asks about a field of that name.
    if (!IsKeyword(word) || (end < text_.size() && text_[end] == ':')) return {};
    return word;
  }

  bool TakeKeyword(std::string_view keyword) {
    if (KeywordHere() != keyword) return false;
    at_ += keyword.size();
    SkipSpace();
    return true;
  }

  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return text_[at_]; }
  void SkipSpace() {
    while (!AtEnd() && IsSpace(Peek())) ++at_;
  }

  bool FailUnexpected() {
    if (Peek() == ')' && depth_ == 0) return Fail(at_, "there is no '(' for this ')'");
    return Fail(at_, "expected a word, a phrase, a field or '(', found " +
                         Quoted(text_.substr(at_)) + "; put text with punctuation in quotes");
  }
  bool FailNesting(size_t position) {
    return Fail(position, fmt::format("more than {} levels of '(' and NOT", kNestingMax));
  }
  bool Fail(size_t position, std::string message) {
    error_.position = position;
    error_.message = std::move(message);
    return false;
  }

  std::string_view text_;
  ParseError& error_;
  Tree tree_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t regexes_ = 0;
};

}  // namespace

std::optional<Tree> ParseTree(std::string_view text, ParseError& error) {
  error = {};
  return Parser(text, error).Run();
}

}  // namespace kelp::query
