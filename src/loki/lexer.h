// Lexer: the words of a LogQL text, one after the other.
//
// Threads: confined to one thread.
// Errors:  a token of kind kError; its text says why.
// Tests:   case_test.cc (tests/cases/logql), logql_fuzz.cc
#ifndef KELP_LOKI_LEXER_H_
#define KELP_LOKI_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kelp::loki {

struct Token {
  enum class Kind : uint8_t {
    kEnd,
    kName,      // words: labels, functions, keywords
    kString,    // `text` is what it stands for
    kNumber,    // 1.5
    kDuration,  // 1h30m; `number` in nanoseconds
    kBytes,     // 20MB; `number`
    kFlag,      // --strict, without the dashes
    kMark,      // punctuation
    kError,
  };
  Kind kind = Kind::kEnd;
  std::string text;
  double number = 0;
  size_t position = 0;

  bool Is(std::string_view mark) const { return kind == Kind::kMark && text == mark; }
  bool IsName(std::string_view name) const { return kind == Kind::kName && text == name; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token Next();

 private:
  void SkipSpace();
  Token Quoted();
  Token Number();
  Token Mark();
  static Token Make(Token::Kind kind, size_t position, std::string text, double number = 0) {
    return {kind, std::move(text), number, position};
  }

  std::string_view text_;
  size_t at_ = 0;
};

// "1h30m", "250ms", "1.5s", "2d", "1w", "1y" as nanoseconds.
std::optional<double> ReadDuration(std::string_view text);
// "20MB", "5KiB", "17", "1.5 GB" as bytes.
std::optional<double> ReadBytes(std::string_view text);
// The whole text as a number, as Go's ParseFloat reads it.
std::optional<double> ReadNumber(std::string_view text);

}  // namespace kelp::loki

#endif  // KELP_LOKI_LEXER_H_
