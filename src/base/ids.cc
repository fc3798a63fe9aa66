#include "base/ids.h"

namespace kelp {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void AppendHex(std::string& out, uint64_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15];
}

bool TakeHex(std::string_view text, uint64_t& out) {
  out = 0;
  for (const char c : text) {
    uint64_t digit;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<uint64_t>(c - 'a') + 10;
    } else {
      return false;
    }
    out = out << 4 | digit;
  }
  return true;
}

}  // namespace

std::string OriginId::ToString() const {
  std::string out;
  AppendHex(out, high, 16);
  AppendHex(out, low, 16);
  return out;
}

Result<OriginId> OriginId::Parse(std::string_view text) {
  OriginId id;
  if (text.size() != 32 || !TakeHex(text.substr(0, 16), id.high) ||
      !TakeHex(text.substr(16), id.low)) {
    return InvalidArgumentError("\"" + std::string(text) +
                                "\" is not an origin id of 32 hexadecimal digits");
  }
  return id;
}

OriginId OriginId::Make(Random& random) {
  OriginId id;
  while (id.empty()) id = {random.Next(), random.Next()};
  return id;
}

std::string RandomHex(Random& random, size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) AppendHex(out, random.Next() & 255, 2);
  return out;
}

}  // namespace kelp
