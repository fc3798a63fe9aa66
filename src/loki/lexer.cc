#include "loki/lexer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "codec/utf8.h"

namespace kelp::loki {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Unit {
  std::string_view name;
  double factor;
};
// Longer names before those that they begin with.
constexpr std::array<Unit, 10> kDurationUnits{{{"ns", 1},
                                               {"us", 1e3},
                                               {"\xc2\xb5s", 1e3},
                                               {"ms", 1e6},
                                               {"s", 1e9},
                                               {"m", 60e9},
                                               {"h", 3600e9},
                                               {"d", 24 * 3600e9},
                                               {"w", 7 * 24 * 3600e9},
                                               {"y", 365 * 24 * 3600e9}}};
constexpr std::array<Unit, 18> kBytesUnits{{{"", 1},
                                            {"b", 1},
                                            {"kib", 1024},
                                            {"kb", 1e3},
                                            {"k", 1e3},
                                            {"ki", 1024},
                                            {"mib", 1048576},
                                            {"mb", 1e6},
                                            {"m", 1e6},
                                            {"mi", 1048576},
                                            {"gib", 1073741824},
                                            {"gb", 1e9},
                                            {"g", 1e9},
                                            {"gi", 1073741824},
                                            {"tib", 1099511627776},
                                            {"tb", 1e12},
                                            {"t", 1e12},
                                            {"ti", 1099511627776}}};

// The decimal number that `text` begins with, and how long it is.
bool TakeDecimal(std::string_view& text, double& number) {
  size_t size = 0;
  while (size < text.size() && (IsDigit(text[size]) || text[size] == '.')) ++size;
  if (size == 0) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, number);
  if (error != std::errc() || end != text.data() + size) return false;
  text.remove_prefix(size);
  return true;
}

// What a character behind a backslash stands for; 0: not an escape of one character.
char SimpleEscape(char c) {
  constexpr std::string_view kFrom = "abfnrtv\\\"'`";
  constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\\"'`";
  const size_t i = kFrom.find(c);
  return i == std::string_view::npos ? '\0' : kTo[i];
}

// Resolves \x41, \101, \u00e9, \U0001f600 behind the backslash at text[at - 1]. False: malformed.
bool NumberEscape(std::string_view text, size_t& at, std::string& out) {
  const char c = text[at];
  const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 3;
  const int base = c == 'x' || c == 'u' || c == 'U' ? 16 : 8;
  const size_t begin = base == 16 ? at + 1 : at;
  if (base == 8 && !(c >= '0' && c <= '3')) return false;
  if (begin + digits > text.size()) return false;
  uint32_t code = 0;
  const char* last = text.data() + begin + digits;
  const auto [end, error] = std::from_chars(text.data() + begin, last, code, base);
  if (error != std::errc() || end != last || !IsHexDigit(text[begin])) return false;
  at = begin + digits;
  if (c != 'u' && c != 'U') {
    out += static_cast<char>(code);
    return true;
  }
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  char bytes[4];
  out.append(bytes, codec::PutUtf8(bytes, code));
  return true;
}

}  // namespace

std::optional<double> ReadDuration(std::string_view text) {
  double sign = 1;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  double sum = 0;
  while (!text.empty()) {
    double number = 0;
    if (!TakeDecimal(text, number)) return std::nullopt;
    const Unit* found = nullptr;
    for (const Unit& unit : kDurationUnits) {
      if (!text.starts_with(unit.name)) continue;
      const std::string_view rest = text.substr(unit.name.size());
      if (!rest.empty() && !IsDigit(rest[0]) && rest[0] != '.') continue;
      found = &unit;
      break;
    }
    if (found == nullptr) return std::nullopt;
    text.remove_prefix(found->name.size());
    sum += number * found->factor;
  }
  return sign * sum;
}

std::optional<double> ReadBytes(std::string_view text) {
  double number = 0;
  if (!TakeDecimal(text, number)) return std::nullopt;
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  std::string unit;
  for (const char c : text) unit += Lower(c);
  for (const Unit& known : kBytesUnits) {
    if (unit == known.name) return number * known.factor;
  }
  return std::nullopt;
}

std::optional<double> ReadNumber(std::string_view text) {
  double sign = 1;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text.empty() || text[0] == '-' || text[0] == '+') return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range)
    return sign * std::numeric_limits<double>::infinity();
  if (error != std::errc()) return std::nullopt;
  return sign * number;
}

void Lexer::SkipSpace() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

Token Lexer::Next() {
  SkipSpace();
  const size_t begin = at_;
  if (at_ >= text_.size()) return Make(Token::Kind::kEnd, begin, "");
  const char c = text_[at_];
  if (c == '"' || c == '`') return Quoted();
  if (IsDigit(c) || (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]))) {
    return Number();
  }
  if (IsLetter(c)) {
    while (at_ < text_.size() && (IsLetter(text_[at_]) || IsDigit(text_[at_]))) ++at_;
    return Make(Token::Kind::kName, begin, std::string(text_.substr(begin, at_ - begin)));
  }
  if (text_.substr(at_, 2) == "--" && at_ + 2 < text_.size() && IsLetter(text_[at_ + 2])) {
    at_ += 2;
    while (at_ < text_.size() && (IsLetter(text_[at_]) || text_[at_] == '-')) ++at_;
    return Make(Token::Kind::kFlag, begin, std::string(text_.substr(begin + 2, at_ - begin - 2)));
  }
  return Mark();
}

Token Lexer::Quoted() {
  const size_t begin = at_;
  const char quote = text_[at_++];
  std::string out;
  while (at_ < text_.size() && text_[at_] != quote) {
    if (quote == '"' && text_[at_] == '\n') break;
    if (quote == '`' || text_[at_] != '\\') {
      out += text_[at_++];
      continue;
    }
    if (++at_ >= text_.size()) break;
    if (const char simple = SimpleEscape(text_[at_]); simple != '\0') {
      out += simple;
      ++at_;
    } else if (!NumberEscape(text_, at_, out)) {
      return Make(Token::Kind::kError, at_ - 1,
                  "unknown escape in a string; write \\\\ for a backslash, or use `…`");
    }
  }
  if (at_ >= text_.size() || text_[at_] != quote) {
    return Make(Token::Kind::kError, begin, "the string is not closed");
  }
  ++at_;
  return Make(Token::Kind::kString, begin, std::move(out));
}

Token Lexer::Number() {
  const size_t begin = at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const bool exponent_sign = (c == '-' || c == '+') && Lower(text_[at_ - 1]) == 'e' &&
                               at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]);
    if (!IsDigit(c) && !IsLetter(c) && c != '.' && static_cast<unsigned char>(c) < 0x80 &&
        !exponent_sign) {
      break;
    }
    ++at_;
  }
  const std::string text(text_.substr(begin, at_ - begin));
  if (const auto number = ReadNumber(text)) {
    return Make(Token::Kind::kNumber, begin, text, *number);
  }
  if (const auto duration = ReadDuration(text)) {
    return Make(Token::Kind::kDuration, begin, text, *duration);
  }
  if (const auto bytes = ReadBytes(text)) return Make(Token::Kind::kBytes, begin, text, *bytes);
  return Make(Token::Kind::kError, begin, "\"" + text + "\" is no number, duration or size");
}

Token Lexer::Mark() {
  static constexpr std::array<std::string_view, 13> kLong = {
      "|=", "|~", "|>", "!=", "!~", "!>", "=~", "==", ">=", "<=", "||", "&&", "::"};
  const size_t begin = at_;
  for (const std::string_view mark : kLong) {
    if (text_.substr(at_, 2) != mark) continue;
    at_ += 2;
    return Make(Token::Kind::kMark, begin, std::string(mark));
  }
  const char c = text_[at_++];
  if (std::string_view("{}()[],=|><+-*/%^.").find(c) == std::string_view::npos) {
    return Make(Token::Kind::kError, begin, std::string("unexpected character '") + c + "'");
  }
  return Make(Token::Kind::kMark, begin, std::string(1, c));
}

}  // namespace kelp::loki
