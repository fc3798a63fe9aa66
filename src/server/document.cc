#include "server/document.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "codec/json_list.h"
#include "codec/json_scan.h"
#include "codec/utf8.h"
#include "query/limits.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

// A title fits on a screen.
constexpr size_t kTitleBytesMax = 256;
// "2026-11-20T23:49:26.304280852+08:00" has 35.
constexpr size_t kTimeBytesMax = 64;
// As one call reads.
constexpr size_t kLogstoresMax = 16;
// What a page can show, and a browser ask for.
constexpr size_t kPanelsMax = 50;
// What a console keeps of its state: columns, filters.
constexpr size_t kViewBytesMax = 64 << 10;
constexpr int kPanelWidthMax = 12;  // columns of the page's grid

Status Wrong(std::string_view key, std::string_view what) {
  return InvalidArgumentError("\"" + std::string(key) + "\" must be " + std::string(what));
}

bool IsText(std::string_view value) { return value.size() >= 2 && value.front() == '"'; }

DocumentCheck TextUpTo(size_t bytes_max) {
  return [bytes_max](std::string_view key, std::string_view value) {
    if (IsText(value) && JsonStringValue(value).size() <= bytes_max) return OkStatus();
    return Wrong(key, "a text of at most " + std::to_string(bytes_max) + " bytes");
  };
}

DocumentCheck OneOf(std::set<std::string> words) {
  return [words = std::move(words)](std::string_view key, std::string_view value) {
    if (IsText(value) && words.contains(JsonStringValue(value))) return OkStatus();
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
    return Wrong(key, "one of " + list);
  };
}

Status CheckLogstores(std::string_view key, std::string_view value) {
  size_t count = 0;
  const bool good = codec::ForEachElement(value, [&](std::string_view element) {
    return ++count <= kLogstoresMax && IsText(element) && element.size() > 2 &&
           JsonStringValue(element).size() <= kTitleBytesMax;
  });
  if (good) return OkStatus();
  return Wrong(key, "a list of at most " + std::to_string(kLogstoresMax) + " names of logstores");
}

Status CheckView(std::string_view key, std::string_view value) {
  if (value.size() <= kViewBytesMax) return OkStatus();
  return Wrong(key, "at most " + std::to_string(kViewBytesMax) + " bytes of JSON");
}

Status CheckWidth(std::string_view key, std::string_view value) {
  int width = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), width);
  if (error == std::errc() && end == value.data() + value.size() && width >= 1 &&
      width <= kPanelWidthMax) {
    return OkStatus();
  }
  return Wrong(key, "a number from 1 to " + std::to_string(kPanelWidthMax));
}

using Keys = std::map<std::string, DocumentCheck, std::less<>>;

// Checks the members of an object; `text` gets them as they are kept.
Status CheckObject(const Keys& keys, std::string_view object, bool top, std::string* text) {
  Status problem;
  std::set<std::string> seen;
  const bool is_object =
      codec::ForEachMember(object, [&](std::string_view key, std::string_view value) {
        const std::string name = JsonStringValue(key);
        if (top && (name == "name" || name == "updated" || name == "editable")) return true;
        const auto known = keys.find(name);
        if (known == keys.end()) {
          problem = InvalidArgumentError("unknown key \"" + name + "\"");
        } else if (!seen.insert(name).second) {
          problem = InvalidArgumentError("\"" + name + "\" stands twice");
        } else if (value != "null") {
          problem = known->second(name, value);
          if (text != nullptr) {
            *text += (text->empty() ? "" : ",") + JsonText(name) + ":" + std::string(value);
          }
        }
        return problem.ok();
      });
  RETURN_IF_ERROR(problem);
  return is_object ? OkStatus() : InvalidArgumentError("it must be a JSON object");
}

Status CheckPanels(std::string_view key, std::string_view value) {
  static const Keys kKeys = {
      {"title", TextUpTo(kTitleBytesMax)},
      {"logstores", CheckLogstores},
      {"q", TextUpTo(query::kQueryBytesMax)},
      {"chart", OneOf({"table", "line", "bar", "pie", "value"})},
      {"width", CheckWidth},
      {"from", TextUpTo(kTimeBytesMax)},
      {"to", TextUpTo(kTimeBytesMax)},
  };
  size_t count = 0;
  Status problem;
  const bool is_array = codec::ForEachElement(value, [&](std::string_view panel) {
    if (++count > kPanelsMax) return false;
    problem = CheckObject(kKeys, panel, false, nullptr).Annotate("panel " + std::to_string(count));
    return problem.ok();
  });
  RETURN_IF_ERROR(problem);
  return is_array ? OkStatus() : Wrong(key, "a list of at most " + std::to_string(kPanelsMax));
}

}  // namespace

const DocumentKind& SavedSearchKind() {
  static const DocumentKind kKind = {"saved_search",
                                     "saved-searches",
                                     "saved_searches",
                                     {{"logstores", CheckLogstores},
                                      {"q", TextUpTo(query::kQueryBytesMax)},
                                      {"from", TextUpTo(kTimeBytesMax)},
                                      {"to", TextUpTo(kTimeBytesMax)},
                                      {"view", CheckView}}};
  return kKind;
}

const DocumentKind& DashboardKind() {
  static const DocumentKind kKind = {"dashboard",
                                     "dashboards",
                                     "dashboards",
                                     {{"title", TextUpTo(kTitleBytesMax)},
                                      {"panels", CheckPanels},
                                      {"from", TextUpTo(kTimeBytesMax)},
                                      {"to", TextUpTo(kTimeBytesMax)}}};
  return kKind;
}

Result<std::string> ReadDocument(const DocumentKind& kind, std::string_view body) {
  if (!codec::IsUtf8(body)) return InvalidArgumentError("the request's body is not UTF-8");
  std::string text;
  RETURN_IF_ERROR(CheckObject(kind.keys, body, true, &text).Annotate("the request's body"));
  return "{" + text + "}";
}

}  // namespace kelp::server
