#include "query/regex_literal.h"

#include <optional>

#include "query/limits.h"
#include "store/tokens.h"

namespace kelp::query {
namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// The literals that one pattern, or one group of it, cannot match without.
class Reader {
 public:
  explicit Reader(std::string_view pattern) : rest_(pattern) {
    if (rest_.substr(0, 4) == "(?i)") {
      ignore_case_ = true;
      rest_.remove_prefix(4);
    }
  }

  // nullopt: not understood.
  std::optional<std::vector<std::string>> Read() {
    std::vector<std::string> literals = ReadAlternatives(0);
    if (failed_ || !rest_.empty()) return std::nullopt;
    return literals;
  }
  bool ignore_case() const { return ignore_case_; }

 private:
  using Literals = std::vector<std::string>;

  // Up to the end or the ')' of this group.
  Literals ReadAlternatives(size_t depth) {
    Literals literals = ReadSequence(depth);
    bool several = false;
    while (!failed_ && !rest_.empty() && rest_[0] == '|') {
      rest_.remove_prefix(1);
      ReadSequence(depth);
      several = true;
    }
    return several ? Literals() : literals;
  }

  Literals ReadSequence(size_t depth) {
    Literals literals;
    std::string run;
    const auto end_run = [&] {
      if (!run.empty()) literals.push_back(std::move(run));
      run.clear();
    };
    while (!failed_ && !rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      std::string atom;   // the literal bytes of it, when it is one character
      Literals required;  // of it, when it is a group
      ReadAtom(depth, atom, required);
      if (failed_) break;
      const Quantity quantity = ReadQuantifier();
      if (quantity == Quantity::kMaybeNone) {
        end_run();
      } else if (!atom.empty()) {
        run += atom;
        if (quantity == Quantity::kMany) end_run();
      } else {
        end_run();
        literals.insert(literals.end(), required.begin(), required.end());
      }
    }
    end_run();
    return literals;
  }

  enum class Quantity { kOne, kMany, kMaybeNone };

  Quantity ReadQuantifier() {
    if (rest_.empty()) return Quantity::kOne;
    Quantity quantity = Quantity::kMaybeNone;
    if (rest_[0] == '+') {
      quantity = Quantity::kMany;
      rest_.remove_prefix(1);
    } else if (rest_[0] == '*' || rest_[0] == '?') {
      rest_.remove_prefix(1);
    } else if (BeginsCount()) {
      const size_t close = rest_.find_first_not_of("0123456789,", 1);
      if (close == std::string_view::npos || rest_[close] != '}') {
        Fail();
        return quantity;
      }
      rest_.remove_prefix(close + 1);
    } else {
      return Quantity::kOne;
    }
    // Lazy and possessive forms.
    if (!rest_.empty() && (rest_[0] == '?' || rest_[0] == '+')) rest_.remove_prefix(1);
    return quantity;
  }

  // Whether "{" may begin a count here; otherwise it stands for itself.
  bool BeginsCount() const {
    if (rest_.empty() || rest_[0] != '{') return false;
    return rest_.size() == 1 || rest_[1] == ',' || rest_[1] == ' ' ||
           (rest_[1] >= '0' && rest_[1] <= '9');
  }

  void ReadAtom(size_t depth, std::string& atom, Literals& required) {
    const char c = rest_[0];
    if (c == '(') return ReadGroup(depth, required);
    if (c == '[') return SkipClass();
    if (c == '\\') return ReadEscape(atom);
    // A quantifier of a quantifier.
    if (c == '*' || c == '+' || c == '?' || BeginsCount()) return Fail();
    rest_.remove_prefix(1);
    if (c == '.' || c == '^' || c == '$') return;
    TakeLiteral(c, atom);
  }

  void TakeLiteral(char c, std::string& atom) {
    if (!IsAscii(c)) {
      // A quantifier would repeat the whole character, not its last byte; case may fold it.
      while (!rest_.empty() && !IsAscii(rest_[0])) rest_.remove_prefix(1);
      return;
    }
    // Without case, 'k' also matches the Kelvin sign and 's' the long s.
    if (ignore_case_ && (c == 'k' || c == 'K' || c == 's' || c == 'S')) return;
    atom = c;
  }

  void ReadEscape(std::string& atom) {
    if (rest_.size() < 2) return Fail();
    const char c = rest_[1];
    rest_.remove_prefix(2);
    if (!IsAscii(c)) return Fail();
    if (!IsAlnum(c)) {
      atom = c;
      return;
    }
    switch (c) {
      case 't':
        atom = '\t';
        return;
      case 'n':
        atom = '\n';
        return;
      case 'r':
        atom = '\r';
        return;
      case 'd':
      case 'D':
      case 's':
      case 'S':
      case 'w':
      case 'W':
      case 'h':
      case 'H':
      case 'v':
      case 'V':
      case 'N':
      case 'R':
      case 'b':
      case 'B':
      case 'A':
      case 'z':
      case 'Z':
        return;
      default:
        // Back references, \x, \p, \Q, \K and the like.
        return Fail();
    }
  }

  void SkipClass() {
    size_t i = 1;
    if (i < rest_.size() && rest_[i] == '^') ++i;
    if (i < rest_.size() && rest_[i] == ']') ++i;
    for (; i < rest_.size() && rest_[i] != ']'; ++i) {
      if (rest_[i] == '\\') {
        ++i;
        if (i < rest_.size() && (rest_[i] == 'Q' || rest_[i] == 'E')) return Fail();
      } else if (rest_[i] == '[') {
        return Fail();  // [:alpha:], or a bracket that only looks so
      }
    }
    if (i >= rest_.size()) return Fail();
    rest_.remove_prefix(i + 1);
  }

  void ReadGroup(size_t depth, Literals& required) {
    if (depth >= kNestingMax) return Fail();
    rest_.remove_prefix(1);
    if (!rest_.empty() && rest_[0] == '*') return Fail();
    if (!rest_.empty() && rest_[0] == '?') {
      // Only groups that change nothing; look-arounds, flags, names and conditions are not read.
      if (rest_.substr(0, 2) != "?:") return Fail();
      rest_.remove_prefix(2);
    }
    required = ReadAlternatives(depth + 1);
    if (rest_.empty() || rest_[0] != ')') return Fail();
    rest_.remove_prefix(1);
  }

  void Fail() { failed_ = true; }

  std::string_view rest_;
  bool ignore_case_ = false;
  bool failed_ = false;
};

bool IsTokenByte(char c) { return IsAlnum(c) || c == '_'; }

// Tokens with both ends inside the literal: nothing around it can make them longer.
void AddWholeTokens(std::string_view literal, std::vector<uint64_t>& hashes) {
  for (size_t begin = 1; begin < literal.size(); ++begin) {
    if (!IsTokenByte(literal[begin]) || IsTokenByte(literal[begin - 1])) continue;
    size_t end = begin;
    while (end < literal.size() && IsTokenByte(literal[end])) ++end;
    if (end < literal.size()) {
      hashes.push_back(store::TokenHash(literal.substr(begin, end - begin)));
    }
    begin = end;
  }
}

}  // namespace

RequiredText FindRequiredText(std::string_view pattern) {
  RequiredText required;
  Reader reader(pattern);
  const std::optional<std::vector<std::string>> literals = reader.Read();
  if (!literals) return required;
  required.ignore_case = reader.ignore_case();
  for (const std::string& literal : *literals) {
    AddWholeTokens(literal, required.hashes);
    if (literal.size() > required.literal.size()) required.literal = literal;
  }
  return required;
}

}  // namespace kelp::query
