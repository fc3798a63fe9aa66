#include "query/line_mask.h"

#include <algorithm>

#include "query/ip_address.h"

namespace kelp::query {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlnum(char c) { return IsDigit(c) || IsLetter(c); }
bool IsHexLetter(char c) { return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// A run of letters and digits of this length with both in it, in which they change twice or more,
// was made by a machine.
constexpr size_t kIdBytesMin = 8;
// Hexadecimal digits that are no word.
constexpr size_t kHexBytesMin = 8;

// How long a quoted text at `at` is, quotes included; 0 when its end is not near.
size_t QuotedSize(std::string_view text, size_t at) {
  const char quote = text[at];
  // "it's" and "5'": a quote begins behind a sign or a space only.
  if (at > 0 && (IsAlnum(text[at - 1]) || text[at - 1] == '\\')) return 0;
  for (size_t end = at + 1; end < text.size(); ++end) {
    if (text[end] == '\\') {
      ++end;
    } else if (text[end] == quote) {
      return end + 1 - at;
    }
  }
  return 0;
}

// Digits at fixed places: 'd' in the form is one.
bool HasForm(std::string_view text, std::string_view form) {
  if (text.size() < form.size()) return false;
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] == 'd' ? !IsDigit(text[i]) : form[i] != text[i]) return false;
  }
  return true;
}

// How long the date or time of day at the beginning is; 0: none.
size_t TimeSize(std::string_view text) {
  size_t size = 0;
  if (HasForm(text, "dddd-dd-dd") || HasForm(text, "dddd/dd/dd")) {
    size = 10;
    const bool goes_on = size + 1 < text.size() && (text[size] == 'T' || text[size] == ' ') &&
                         HasForm(text.substr(size + 1), "dd:dd:dd");
    if (!goes_on) return size;
    ++size;
  }
  if (!HasForm(text.substr(size), "dd:dd:dd")) return size;
  size += 8;
  if (size + 1 < text.size() && (text[size] == '.' || text[size] == ',') &&
      IsDigit(text[size + 1])) {
    ++size;
    while (size < text.size() && IsDigit(text[size])) ++size;
  }
  if (size < text.size() && text[size] == 'Z') return size + 1;
  const std::string_view zone = text.substr(std::min(size, text.size()));
  if (!zone.empty() && (zone[0] == '+' || zone[0] == '-')) {
    if (HasForm(zone.substr(1), "dd:dd")) return size + 6;
    if (HasForm(zone.substr(1), "dddd")) return size + 5;
  }
  return size;
}

size_t UuidSize(std::string_view text) {
  constexpr size_t kSize = 36;
  if (text.size() < kSize) return 0;
  for (size_t i = 0; i < kSize; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !(IsDigit(text[i]) || IsHexLetter(text[i]))) return 0;
  }
  return kSize;
}

size_t AddressSize(std::string_view text) {
  size_t size = Ipv6TextSize(text);
  if (size != 0) return size;
  while (size < text.size() && (IsDigit(text[size]) || text[size] == '.')) ++size;
  if (!IpAddress::Parse(text.substr(0, size))) return 0;
  if (size + 1 >= text.size() || text[size] != ':' || !IsDigit(text[size + 1])) return size;
  ++size;
  while (size < text.size() && IsDigit(text[size])) ++size;
  return size;
}

// "-12", "3.5", "1,024", "1e9"; a version like 1.2.3 is one, too.
size_t NumberSize(std::string_view text) {
  size_t size = 0;
  while (size < text.size() &&
         (IsDigit(text[size]) || ((text[size] == '.' || text[size] == ',') &&
                                  size + 1 < text.size() && size > 0 && IsDigit(text[size + 1])))) {
    ++size;
  }
  return size;
}

class Masker {
 public:
  Masker(std::string_view line, std::string& out)
      : text_(line.substr(0, kMaskedBytesMax)), out_(out) {}

  void Run() {
    size_t tokens = 0;
    bool space = false;
    while (at_ < text_.size() && tokens < kMaskedTokensMax) {
      if (IsSpace(text_[at_])) {
        space = true;
        ++at_;
        continue;
      }
      if (space && !out_.empty()) out_ += ' ';
      tokens += space ? 1 : 0;
      space = false;
      Step();
    }
  }

 private:
  void Step() {
    const char c = text_[at_];
    if (c == '"' || c == '\'') {
      if (const size_t size = QuotedSize(text_, at_)) return Mark("<str>", size);
    }
    const std::string_view rest = text_.substr(at_);
    if (IsDigit(c) || IsHexLetter(c) || c == ':') {
      if (const size_t size = UuidSize(rest)) return Mark("<id>", size);
      if (const size_t size = AddressSize(rest)) return Mark("<ip>", size);
    }
    if (IsDigit(c)) {
      if (const size_t size = TimeSize(rest)) return Mark("<time>", size);
    }
    if (IsAlnum(c)) return Word();
    out_ += c;
    ++at_;
  }

  // A run of letters and digits: an id as a whole, else with its numbers masked.
  void Word() {
    size_t size = 0;
    size_t digits = 0;
    size_t changes = 0;
    bool hex = true;
    const std::string_view rest = text_.substr(at_);
    for (; size < rest.size() && IsAlnum(rest[size]); ++size) {
      digits += IsDigit(rest[size]) ? 1 : 0;
      hex = hex && (IsDigit(rest[size]) || IsHexLetter(rest[size]));
      changes += size > 0 && IsDigit(rest[size]) != IsDigit(rest[size - 1]) ? 1 : 0;
    }
    if (digits == 0) {
      out_ += rest.substr(0, size);
      at_ += size;
      return;
    }
    if (digits < size && ((hex && size >= kHexBytesMin) || (size >= kIdBytesMin && changes >= 2))) {
      return Mark("<id>", size);
    }
    if (HasForm(rest, "d") && rest[0] == '0' && rest.size() > 1 &&
        (rest[1] == 'x' || rest[1] == 'X')) {
      return Mark("<id>", size);
    }
    for (const size_t end = at_ + size; at_ < end;) {
      if (IsDigit(text_[at_])) {
        Mark("<num>", NumberSize(text_.substr(at_)));
      } else {
        out_ += text_[at_++];
      }
    }
  }

  void Mark(std::string_view mark, size_t size) {
    at_ += size;
    // The sign belongs to a number that nothing stands before.
    if (mark == "<num>" && !out_.empty() && out_.back() == '-' &&
        (out_.size() == 1 || !IsAlnum(out_[out_.size() - 2]))) {
      if (out_.size() == 1 || out_[out_.size() - 2] != '>') out_.pop_back();
    }
    out_ += mark;
  }

  const std::string_view text_;
  std::string& out_;
  size_t at_ = 0;
};

}  // namespace

void MaskLine(std::string_view line, std::string& out) {
  std::string masked;
  Masker(line, masked).Run();
  out += masked;
}

}  // namespace kelp::query
