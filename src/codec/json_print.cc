#include "codec/json_print.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "codec/civil.h"
#include "codec/json_scan.h"
#include "codec/simd.h"
#include "codec/utf8.h"

namespace kelp::codec {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
// The longest escape, \u00XX, and what a 16-byte store may write too much.
constexpr size_t kEscapeMax = 6;
constexpr size_t kStoreSlack = 16;
constexpr size_t kOffsetDigitsMax = 20;

// The short form of an escape, or 0.
char ShortEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

char* PutEscape(char* out, char c) {
  *out++ = '\\';
  if (const char letter = ShortEscape(c); letter != 0) {
    *out++ = letter;
    return out;
  }
  const auto u = static_cast<unsigned char>(c);
  std::memcpy(out, "u00", 3);
  out[3] = kHexDigits[u >> 4];
  out[4] = kHexDigits[u & 15];
  return out + 5;
}

// Which bytes of a block cannot be copied as they are. Two policies: text that becomes the content
// of a string, and text that is JSON already, where the only control characters are white space.
struct StringPolicy {
  static uint32_t Mask(__m128i bytes) { return JsonSpecialMask16(bytes); }
  static char* Put(char* out, char c) { return PutEscape(out, c); }
};
struct JsonPolicy {
  static uint32_t Mask(__m128i bytes) {
    const __m128i low = _mm_min_epu8(bytes, _mm_set1_epi8(0x1f));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(low, bytes)));
  }
  static char* Put(char* out, char) {
    *out = ' ';
    return out + 1;
  }
};

// Copies the bytes that can stay as they are, up to the first that cannot: from 0x80 on too, unless
// the text is known to be `valid` UTF-8. `out` has room for all of the text and kStoreSlack more.
template <typename Policy>
const char* CopyPlain(const char* p, const char* end, bool valid, char*& out) {
  const uint32_t high = valid ? 0 : UINT32_MAX;
  while (end - p >= 16) {
    const __m128i bytes = Load16(p);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    const auto top = static_cast<uint32_t>(_mm_movemask_epi8(bytes));
    if (const uint32_t mask = Policy::Mask(bytes) | (top & high); mask != 0) {
      const int plain = __builtin_ctz(mask);
      out += plain;
      return p + plain;
    }
    p += 16;
    out += 16;
  }
  if (p == end) return end;
  const auto left = static_cast<size_t>(end - p);
  const __m128i bytes = LoadPartial16(p, left);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
  const auto top = static_cast<uint32_t>(_mm_movemask_epi8(bytes));
  const uint32_t mask = (Policy::Mask(bytes) | (top & high)) & ((1u << left) - 1);
  const size_t plain = mask != 0 ? static_cast<size_t>(__builtin_ctz(mask)) : left;
  out += plain;
  return p + plain;
}

template <typename Policy>
void AppendRepaired(ByteBuffer& out, std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  bool checked = false;
  bool valid = false;
  for (;;) {
    char* to = out.Reserve(static_cast<size_t>(end - p) + kStoreSlack + kEscapeMax);
    p = CopyPlain<Policy>(p, end, valid, to);
    if (p != end && static_cast<unsigned char>(*p) < 0x80) {
      to = Policy::Put(to, *p++);
    } else if (p != end && !checked) {
      checked = true;
      valid = IsUtf8({p, static_cast<size_t>(end - p)});
    } else if (p != end) {
      const Utf8Step step = NextUtf8(p, end);
      const std::string_view bytes = step.valid ? std::string_view(p, step.size) : kReplacement;
      std::memcpy(to, bytes.data(), bytes.size());
      to += bytes.size();
      p += step.size;
    }
    out.set_end(to);
    if (p == end) return;
  }
}

// --- time ---

constexpr size_t kTimeBytes = sizeof("\"2026-11-20T23:49:26.304280852Z\"") - 1;

void PutDigits(char* p, uint32_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) p[i] = static_cast<char>('0' + value % 10);
}

void PutSecond(char* p, int64_t second) {
  const int64_t days = (second >= 0 ? second : second - (kSecondsPerDay - 1)) / kSecondsPerDay;
  const auto of_day = static_cast<uint32_t>(second - days * kSecondsPerDay);
  const Civil civil = CivilFromDays(days);
  std::memcpy(p, "0000-00-00T00:00:00", 19);
  PutDigits(p, static_cast<uint32_t>(civil.year), 4);
  PutDigits(p + 5, civil.month, 2);
  PutDigits(p + 8, civil.day, 2);
  PutDigits(p + 11, of_day / 3600, 2);
  PutDigits(p + 14, of_day / 60 % 60, 2);
  PutDigits(p + 17, of_day % 60, 2);
}

void AppendKey(std::string& key, std::string_view name) {
  ByteBuffer text;
  AppendJsonString(text, name);
  text.Append(':');
  key.assign(text.view());
}

}  // namespace

void AppendJsonString(ByteBuffer& out, std::string_view text) {
  out.Append('"');
  AppendRepaired<StringPolicy>(out, text);
  out.Append('"');
}

void AppendJsonValue(ByteBuffer& out, const Value& value) {
  if (value.missing()) {
    out.Append("null");
  } else if (value.kind == ValueKind::kJson && IsJson(value.text())) {
    AppendRepaired<JsonPolicy>(out, value.text());
  } else {
    AppendJsonString(out, value.text());
  }
}

void AppendJsonTime(ByteBuffer& out, UnixNanos time) {
  if (time == kNoTime) return out.Append("null");
  // Rows of a batch mostly share their second.
  thread_local int64_t cached_second = INT64_MIN;
  thread_local char cached[19];
  int64_t second = time / kNanosPerSecond;
  int64_t nanos = time % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --second;
  }
  if (second != cached_second) {
    PutSecond(cached, second);
    cached_second = second;
  }
  char* p = out.Reserve(kTimeBytes);
  *p++ = '"';
  std::memcpy(p, cached, sizeof cached);
  p += sizeof cached;
  *p++ = '.';
  PutDigits(p, static_cast<uint32_t>(nanos), 9);
  p += 9;
  *p++ = 'Z';
  *p++ = '"';
  out.set_end(p);
}

void RowPrinter::Start(const Batch& batch) {
  batch_ = &batch;
  fields_.resize(batch.column_count() - 1);
  for (size_t i = 1; i < batch.column_count(); ++i) {
    Field& field = fields_[i - 1];
    field.values = batch.column(i).values();
    if (field.name != batch.column(i).name() || field.key.empty()) {
      field.name = batch.column(i).name();
      AppendKey(field.key, field.name);
    }
  }
  if (resource_ == batch.resource() && origin_ == batch.origin) return;
  resource_ = batch.resource();
  origin_ = batch.origin;
  tail_.Clear();
  tail_.Append("},\"resource\":{");
  bool first = true;
  for (const auto& [key, value] : resource_->tags()) {
    if (!std::exchange(first, false)) tail_.Append(',');
    AppendJsonString(tail_, key);
    tail_.Append(':');
    AppendJsonString(tail_, value);
  }
  tail_.Append("},\"origin\":{\"id\":\"");
  tail_.Append(origin_.ToString());
  tail_.Append("\",\"offset\":");
}

void RowPrinter::Append(ByteBuffer& out, uint32_t row) const {
  out.Append("{\"time\":");
  AppendJsonTime(out, batch_->time(row));
  out.Append(",\"body\":");
  // A body is text, also where a parser took it apart.
  AppendJsonString(out, batch_->body().Get(row).text());
  out.Append(",\"fields\":{");
  bool first = true;
  for (const Field& field : fields_) {
    if (field.values[row].missing()) continue;
    if (!std::exchange(first, false)) out.Append(',');
    out.Append(field.key);
    AppendJsonValue(out, field.values[row]);
  }
  out.Append(tail_.view());
  char* p = out.Reserve(kOffsetDigitsMax + 2);
  p = std::to_chars(p, p + kOffsetDigitsMax, batch_->row_begin(row)).ptr;
  *p++ = '}';
  *p++ = '}';
  out.set_end(p);
}

}  // namespace kelp::codec
