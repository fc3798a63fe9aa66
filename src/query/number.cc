#include "query/number.h"

#include <charconv>

namespace kelp::query {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Number> Number::Parse(std::string_view text) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return std::nullopt;
  }
  const size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
  // Most values are no numbers; this also keeps from_chars from reading "inf" and "nan".
  if (first >= text.size() || !(IsDigit(text[first]) || text[first] == '.')) return std::nullopt;
  const char* const end = text.data() + text.size();
  Number number;
  const auto whole = std::from_chars(text.data(), end, number.integer);
  if (whole.ec == std::errc() && whole.ptr == end) {
    number.exact = true;
    number.real = static_cast<double>(number.integer);
    return number;
  }
  const auto real = std::from_chars(text.data(), end, number.real);
  if (real.ec != std::errc() || real.ptr != end) return std::nullopt;
  return number;
}

std::weak_ordering Compare(const Number& a, const Number& b) {
  if (a.exact && b.exact) return a.integer <=> b.integer;
  if (a.real < b.real) return std::weak_ordering::less;
  if (a.real > b.real) return std::weak_ordering::greater;
  return std::weak_ordering::equivalent;
}

}  // namespace kelp::query
