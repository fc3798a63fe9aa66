#include "query/value_match.h"

#include <cmath>

#include "query/json_path.h"

namespace kelp::query {
namespace {

// A value as what it may be compared as.
struct Operand {
  std::string_view text;
  std::optional<Number> number;
  std::optional<IpAddress> ip;
};

std::weak_ordering CompareTo(const Operand& value, const Bound& bound) {
  if (value.number && bound.number) return Compare(*value.number, *bound.number);
  if (value.ip && bound.ip) return *value.ip <=> *bound.ip;
  return value.text <=> std::string_view(bound.text);
}

bool InRange(const Term& term, std::string_view text) {
  const bool numeric = (term.low && term.low->number) || (term.high && term.high->number);
  const bool address = (term.low && term.low->ip) || (term.high && term.high->ip);
  const Operand value{text, numeric ? Number::Parse(text) : std::nullopt,
                      address ? IpAddress::ParsePeer(text) : std::nullopt};
  // What is no address is in no range of addresses.
  if (address && !value.ip && (!term.low || term.low->ip) && (!term.high || term.high->ip)) {
    return false;
  }
  if (term.low) {
    const auto order = CompareTo(value, *term.low);
    if (order < 0 || (order == 0 && !term.low->inclusive)) return false;
  }
  if (term.high) {
    const auto order = CompareTo(value, *term.high);
    if (order > 0 || (order == 0 && !term.high->inclusive)) return false;
  }
  return true;
}

bool IsEqual(const Term& term, std::string_view text) {
  if (text == term.text) return true;
  if (term.number) {
    const std::optional<Number> number = Number::Parse(text);
    if (!number) return false;
    // Long numbers are names (ids): two of them may be one double and still differ.
    constexpr double kExactMax = 9007199254740992.0;
    const bool exact = number->exact && term.number->exact;
    return (exact || std::abs(number->real) < kExactMax) && Compare(*number, *term.number) == 0;
  }
  return term.ip && IpAddress::Parse(text) == term.ip;
}

bool IsInNet(const IpNet& net, std::string_view text) {
  const std::optional<IpAddress> address = IpAddress::ParsePeer(text);
  return address && net.Contains(*address);
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
      return IsEqual(term, text);
    case Term::Kind::kNet:
      return IsInNet(*term.net, text);
    case Term::Kind::kRange:
      return InRange(term, text);
    case Term::Kind::kPresent:
      return true;
  }
  return false;
}

bool ValueMatchesAt(const Term& term, const Value& value, std::string_view path,
                    MatchMemory& memory) {
  if (value.kind != ValueKind::kJson) return false;
  return AnyAt(value.text(), path, memory.json,
               [&](const Value& inner) { return ValueMatches(term, inner, memory); });
}

NameMatch MatchName(std::string_view column, std::string_view field) {
  if (column.size() < field.size()) {
    const bool prefix = field.starts_with(column) && field[column.size()] == '.' &&
                        column.size() + 1 < field.size() && !column.empty();
    return prefix ? NameMatch::kPrefix : NameMatch::kNone;
  }
  if (!column.ends_with(field)) return NameMatch::kNone;
  if (column.size() == field.size()) return NameMatch::kFull;
  return column[column.size() - field.size() - 1] == '.' ? NameMatch::kSuffix : NameMatch::kNone;
}

}  // namespace kelp::query
