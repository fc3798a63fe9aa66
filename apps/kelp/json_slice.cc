#include "json_slice.h"

#include "codec/json_scan.h"

namespace kelp::cli {
namespace {

// A position in the text, with the steps that objects and arrays have in common.
struct Reader {
  const char* p;
  const char* end;

  explicit Reader(std::string_view text) : p(text.data()), end(text.data() + text.size()) {}
  bool Take(char c) {
    p = codec::SkipJsonSpace(p, end);
    if (p == end || *p != c) return false;
    ++p;
    return true;
  }
  std::optional<std::string_view> TakeValue() {
    p = codec::SkipJsonSpace(p, end);
    const char* after = codec::SkipJsonValue(p, end);
    if (after == nullptr) return std::nullopt;
    const std::string_view value(p, static_cast<size_t>(after - p));
    p = after;
    return value;
  }
  bool AtEnd() { return codec::SkipJsonSpace(p, end) == end; }
};

}  // namespace

bool ForEachMember(std::string_view text,
                   const std::function<void(std::string_view, std::string_view)>& fn) {
  Reader reader(text);
  if (!reader.Take('{')) return false;
  if (reader.Take('}')) return reader.AtEnd();
  do {
    const auto key = reader.TakeValue();
    if (!key || !key->starts_with('"') || !reader.Take(':')) return false;
    const auto value = reader.TakeValue();
    if (!value) return false;
    fn(ValueText(*key), *value);
  } while (reader.Take(','));
  return reader.Take('}') && reader.AtEnd();
}

bool ForEachItem(std::string_view text, const std::function<void(std::string_view)>& fn) {
  Reader reader(text);
  if (!reader.Take('[')) return false;
  if (reader.Take(']')) return reader.AtEnd();
  do {
    const auto item = reader.TakeValue();
    if (!item) return false;
    fn(*item);
  } while (reader.Take(','));
  return reader.Take(']') && reader.AtEnd();
}

std::optional<std::string_view> Member(std::string_view object, std::string_view key) {
  std::optional<std::string_view> found;
  ForEachMember(object, [&](std::string_view name, std::string_view value) {
    if (name == key) found = value;
  });
  return found;
}

std::string ValueText(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::string(value);
  const char* begin = value.data() + 1;
  const char* end = value.data() + value.size() - 1;
  std::string out(static_cast<size_t>(end - begin) + codec::kUnescapeSlack, '\0');
  const char* written = codec::UnescapeJson(begin, end, out.data());
  out.resize(static_cast<size_t>(written - out.data()));
  return out;
}

}  // namespace kelp::cli
