#include "query/row_key.h"

#include <charconv>
#include <limits>

namespace kelp::query {
namespace {

constexpr std::string_view kVersion = "1";

// Takes everything up to the next '.', or to the end.
std::string_view TakePart(std::string_view& text) {
  const size_t dot = text.find('.');
  const std::string_view part = text.substr(0, dot);
  text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  return part;
}

template <typename T>
bool TakeNumber(std::string_view& text, int base, T& out) {
  const std::string_view part = TakePart(text);
  const char* const end = part.data() + part.size();
  const auto parsed = std::from_chars(part.data(), end, out, base);
  return !part.empty() && parsed.ec == std::errc() && parsed.ptr == end;
}

std::string Hex(uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  return std::string(digits, end);
}

}  // namespace

Cursor Cursor::BeforeTime(UnixNanos time) {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  return {{time, {kLast, kLast}, kLast, kLast}, 0};
}

std::string Cursor::ToString() const {
  std::string out(kVersion);
  out += '.';
  out += std::to_string(last.time);
  for (const uint64_t part :
       {last.origin.high, last.origin.low, last.offset, last.hash, delivered}) {
    out += '.';
    out += Hex(part);
  }
  return out;
}

Result<Cursor> Cursor::Parse(std::string_view text) {
  Cursor cursor;
  RowKey& key = cursor.last;
  const bool ok = TakePart(text) == kVersion && TakeNumber(text, 10, key.time) &&
                  TakeNumber(text, 16, key.origin.high) && TakeNumber(text, 16, key.origin.low) &&
                  TakeNumber(text, 16, key.offset) && TakeNumber(text, 16, key.hash) &&
                  TakeNumber(text, 16, cursor.delivered) && text.empty();
  if (!ok) return InvalidArgumentError("the cursor is not one that an earlier answer gave");
  return cursor;
}

}  // namespace kelp::query
