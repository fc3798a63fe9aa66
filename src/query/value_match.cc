#include "query/value_match.h"

namespace kelp::query {
namespace {

std::weak_ordering CompareTo(std::string_view text, const std::optional<Number>& number,
                             const Bound& bound) {
  if (number && bound.number) return Compare(*number, *bound.number);
  return text <=> std::string_view(bound.text);
}

bool InRange(const Term& term, std::string_view text) {
  const bool numeric = (term.low && term.low->number) || (term.high && term.high->number);
  const std::optional<Number> number = numeric ? Number::Parse(text) : std::nullopt;
  if (term.low) {
    const auto order = CompareTo(text, number, *term.low);
    if (order < 0 || (order == 0 && !term.low->inclusive)) return false;
  }
  if (term.high) {
    const auto order = CompareTo(text, number, *term.high);
    if (order > 0 || (order == 0 && !term.high->inclusive)) return false;
  }
  return true;
}

}  // namespace

bool ValueMatches(const Term& term, const Value& value, MatchMemory& memory) {
  if (value.missing()) return false;
  const std::string_view text = value.text();
  switch (term.kind) {
    case Term::Kind::kTokens:
      return term.tokens->Matches(text, memory.tokens);
    case Term::Kind::kRegex: {
      const LiteralFinder& literal = term.regex->literal();
      if (!literal.empty() && literal.Find(text) == LiteralFinder::npos) return false;
      return memory.regex.Matches(*term.regex, text);
    }
    case Term::Kind::kEqual:
      return text == term.text;
    case Term::Kind::kRange:
      return InRange(term, text);
    case Term::Kind::kPresent:
      return true;
  }
  return false;
}

NameMatch MatchName(std::string_view column, std::string_view field) {
  if (column.size() < field.size() || !column.ends_with(field)) return NameMatch::kNone;
  if (column.size() == field.size()) return NameMatch::kFull;
  return column[column.size() - field.size() - 1] == '.' ? NameMatch::kSuffix : NameMatch::kNone;
}

}  // namespace kelp::query
