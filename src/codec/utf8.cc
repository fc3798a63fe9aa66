#include "codec/utf8.h"

#include <simdjson.h>

namespace kelp::codec {
namespace {

// What the first byte of a sequence asks of those behind it.
struct Lead {
  uint32_t size;      // of the whole sequence; 0: no sequence begins so
  unsigned char low;  // bounds of the second byte
  unsigned char high;
};

Lead LeadOf(unsigned char c) {
  if (c < 0x80) return {1, 0, 0};
  if (c < 0xc2) return {0, 0, 0};
  if (c < 0xe0) return {2, 0x80, 0xbf};
  if (c == 0xe0) return {3, 0xa0, 0xbf};
  if (c == 0xed) return {3, 0x80, 0x9f};
  if (c < 0xf0) return {3, 0x80, 0xbf};
  if (c == 0xf0) return {4, 0x90, 0xbf};
  if (c < 0xf4) return {4, 0x80, 0xbf};
  if (c == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

Utf8Step NextUtf8(const char* p, const char* end) {
  const Lead lead = LeadOf(static_cast<unsigned char>(*p));
  if (lead.size <= 1) return {1, lead.size == 1};
  unsigned char low = lead.low, high = lead.high;
  for (uint32_t i = 1; i < lead.size; ++i) {
    if (p + i == end) return {i, false};
    const auto c = static_cast<unsigned char>(p[i]);
    if (c < low || c > high) return {i, false};
    low = 0x80;
    high = 0xbf;
  }
  return {lead.size, true};
}

}  // namespace kelp::codec
