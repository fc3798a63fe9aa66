#include "server/json_text.h"

#include <algorithm>

#include "codec/json_scan.h"
#include "net/http.h"

namespace kelp::server {

std::string JsonText(std::string_view text) {
  std::string out;
  net::AppendJsonString(out, text);
  return out;
}

std::string JsonTextOrNull(std::string_view text) { return text.empty() ? "null" : JsonText(text); }

void AppendJsonCell(const sql::Cell& cell, std::string& out) {
  switch (cell.kind) {
    case sql::Cell::Kind::kNull:
      out += "null";
      return;
    case sql::Cell::Kind::kBoolean:
    case sql::Cell::Kind::kNumber:
    case sql::Cell::Kind::kJson:
      out += cell.text;
      return;
    case sql::Cell::Kind::kTime:
    case sql::Cell::Kind::kText:
      out += JsonText(cell.text);
      return;
  }
}

std::string JsonList(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? "," : "") + JsonText(text);
  return out + "]";
}

std::string JsonTime(UnixNanos time) {
  return time == kNoTime ? "null" : JsonText(FormatRfc3339(time));
}

std::string JsonStringValue(std::string_view value) {
  const std::string_view content = value.substr(1, value.size() - 2);
  std::string out(content.size() + codec::kUnescapeSlack, '\0');
  const char* end =
      codec::UnescapeJson(content.data(), content.data() + content.size(), out.data());
  out.resize(static_cast<size_t>(end - out.data()));
  return out;
}

Result<std::map<std::string, JsonMember>> ParseRequestObject(
    std::string_view body, std::initializer_list<std::string_view> allowed) {
  std::map<std::string, JsonMember> members;
  Status problem;
  const bool is_object = codec::ForEachMember(body, [&](std::string_view key, std::string_view v) {
    const std::string name = JsonStringValue(key);
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      problem = InvalidArgumentError("unknown key \"" + name + "\" in the request's body");
    } else if (v == "null") {
      members[name] = {true, ""};
    } else if (v.front() == '"') {
      members[name] = {false, JsonStringValue(v)};
    } else {
      problem = InvalidArgumentError("\"" + name + "\" must be a string");
    }
    return problem.ok();
  });
  RETURN_IF_ERROR(problem);
  if (!is_object) return InvalidArgumentError("the request's body must be a JSON object");
  return members;
}

}  // namespace kelp::server
