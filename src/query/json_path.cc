#include "query/json_path.h"

#include "codec/json_scan.h"

namespace kelp::query {
namespace {

using Found = std::function<bool(const Value&)>;

class Walker {
 public:
  Walker(std::string& scratch, const Found& found) : scratch_(scratch), found_(found) {}

  // Looks for `path` in the value `json`; true when found_ said so.
  bool Descend(std::string_view json, std::string_view path, int depth) {
    if (json.empty() || depth > kJsonDepthMax) return false;
    if (json[0] == '[') return DescendArray(json, path, depth);
    bool done = false;
    codec::ForEachMember(json, [&](std::string_view quoted, std::string_view value) {
      const std::string_view key = quoted.substr(1, quoted.size() - 2);
      if (key == path) {
        done = Give(value);
      } else if (path.size() > key.size() && path[key.size()] == '.' && path.starts_with(key)) {
        done = Descend(value, path.substr(key.size() + 1), depth + 1);
      }
      return !done;
    });
    return done;
  }

 private:
  bool DescendArray(std::string_view json, std::string_view path, int depth) {
    const char* const end = json.data() + json.size();
    const char* p = codec::SkipJsonSpace(json.data() + 1, end);
    while (p < end && *p != ']') {
      const char* const begin = p;
      p = codec::SkipJsonValue(p, end);
      if (p == nullptr) return false;
      if (Descend({begin, static_cast<size_t>(p - begin)}, path, depth + 1)) return true;
      p = codec::SkipJsonSpace(p, end);
      if (p < end && *p == ',') p = codec::SkipJsonSpace(p + 1, end);
    }
    return false;
  }

  bool Give(std::string_view value) {
    if (value.empty() || value[0] != '"') return found_(Value::Json(value));
    const std::string_view content = value.substr(1, value.size() - 2);
    if (content.find('\\') == std::string_view::npos) return found_(Value::String(content));
    scratch_.resize(content.size() + codec::kUnescapeSlack);
    const char* const end =
        codec::UnescapeJson(content.data(), content.data() + content.size(), scratch_.data());
    return found_(Value::String({scratch_.data(), static_cast<size_t>(end - scratch_.data())}));
  }

  std::string& scratch_;
  const Found& found_;
};

}  // namespace

bool AnyAt(std::string_view json, std::string_view path, std::string& scratch,
           const std::function<bool(const Value&)>& found) {
  const size_t begin = json.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || path.empty()) return false;
  return Walker(scratch, found).Descend(json.substr(begin), path, 0);
}

}  // namespace kelp::query
