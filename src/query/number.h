// Number: a value read as a number, for comparisons.
#ifndef KELP_QUERY_NUMBER_H_
#define KELP_QUERY_NUMBER_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kelp::query {

// A decimal number as JSON and people write it: sign, digits, fraction, exponent; the whole text.
struct Number {
  double real = 0;
  int64_t integer = 0;
  bool exact = false;  // `integer` holds it without rounding

  static std::optional<Number> Parse(std::string_view text);
};

// Never unordered: infinities and NaN are not numbers here.
std::weak_ordering Compare(const Number& a, const Number& b);

}  // namespace kelp::query

#endif  // KELP_QUERY_NUMBER_H_
