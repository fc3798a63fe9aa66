#include "server/loki_insight.h"

#include <map>
#include <set>

#include "loki/extract.h"
#include "loki/lexer.h"
#include "loki/log_query.h"
#include "query/ip_address.h"
#include "query/patterns.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

// Newest rows of which fields are gathered; the others are much like them.
constexpr uint32_t kFieldLinesDefault = 1000;
constexpr uint32_t kFieldLinesMax = 5000;
constexpr uint32_t kFieldsDefault = 1000;
constexpr uint32_t kFieldsMax = 10'000;
// Different values kept of one field.
constexpr size_t kValuesMax = 1000;
constexpr uint32_t kPatternsMax = 300;

struct FieldSeen {
  std::set<std::string> values;
  const char* parser = nullptr;  // nullptr: structured metadata
  bool number = true;
  bool whole = true;
  bool duration = true;
  bool bytes = true;
  bool boolean = true;

  void Add(const std::string& value) {
    if (values.size() < kValuesMax) values.insert(value);
    number = number && loki::ReadNumber(value).has_value();
    whole = whole && number && value.find_first_of(".eE") == std::string::npos;
    duration = duration && loki::ReadDuration(value).has_value();
    bytes = bytes && loki::ReadBytes(value).has_value();
    boolean = boolean && (value == "true" || value == "false");
  }
  const char* Type() const {
    if (boolean) return "boolean";
    if (number) return whole ? "int" : "float";
    if (duration) return "duration";
    return bytes ? "bytes" : "string";
  }
};
using FieldMap = std::map<std::string, FieldSeen>;

// What a parser stage would make of the line.
void AddParsed(const loki::LogLine& line, FieldMap& fields) {
  loki::Entry entry;
  entry.line = line.line;
  const bool json = !line.line.empty() && line.line[0] == '{';
  if (!json && line.line.find('=') == std::string::npos) return;
  const loki::Stage stage;
  if (json) {
    loki::ExtractJson(stage, entry);
  } else {
    loki::ExtractLogfmt(stage, entry);
  }
  if (entry.Find("__error__") != nullptr) return;
  for (const loki::Label& label : entry.labels) {
    FieldSeen& seen = fields[std::string(label.name)];
    // Of a field that is metadata as well, the metadata counts.
    if (!seen.values.empty() && seen.parser == nullptr) continue;
    seen.parser = json ? "json" : "logfmt";
    seen.Add(std::string(label.value));
  }
}

Result<FieldMap> Gather(LokiRequest& request) {
  const std::string text = request.Param("query");
  loki::SyntaxError error;
  const auto expr = loki::Parse(text, error);
  if (expr == nullptr) return InvalidArgumentError(loki::Describe(text, error));
  if (!expr->is_log()) return InvalidArgumentError("fields are those of a log query");
  loki::LogRequest lines;
  RETURN_IF_ERROR(request.Span(lines.from, lines.to));
  ++lines.to;
  ASSIGN_OR_RETURN(lines.limit, request.Number("line_limit", kFieldLinesDefault, kFieldLinesMax));
  loki::Target target;
  RETURN_IF_ERROR(request.Open(target));
  ASSIGN_OR_RETURN(const auto found, loki::RunLogQuery(target, *expr, lines));
  FieldMap fields;
  for (const loki::LogLine& line : found.lines) {
    for (const auto& [name, value] : line.fields) fields[name].Add(value);
    AddParsed(line, fields);
  }
  return fields;
}

// Placeholders of all kinds are one in Loki's patterns.
std::string LokiPattern(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text[at] == '<' ? text.find('>', at) : std::string::npos;
    if (end != std::string::npos && end - at <= 6) {
      out += "<_>";
      at = end + 1;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace

Result<std::string> LokiDetectedFields(LokiRequest& request) {
  ASSIGN_OR_RETURN(const uint32_t limit, request.Number("limit", kFieldsDefault, kFieldsMax));
  ASSIGN_OR_RETURN(const FieldMap fields, Gather(request));
  std::string out = "{\"fields\":[";
  uint32_t given = 0;
  for (const auto& [name, seen] : fields) {
    if (given++ == limit) break;
    if (out.back() != '[') out += ',';
    out += "{\"label\":" + JsonText(name) + ",\"type\":\"" + seen.Type() +
           "\",\"cardinality\":" + std::to_string(seen.values.size()) + ",\"parsers\":" +
           (seen.parser == nullptr ? "null" : "[\"" + std::string(seen.parser) + "\"]") + "}";
  }
  return out + "],\"limit\":" + std::to_string(limit) + "}";
}

Result<std::string> LokiDetectedFieldValues(LokiRequest& request) {
  ASSIGN_OR_RETURN(const uint32_t limit, request.Number("limit", kFieldsDefault, kFieldsMax));
  ASSIGN_OR_RETURN(const FieldMap fields, Gather(request));
  const auto found = fields.find(std::string(request.http().PathParam("name")));
  std::vector<std::string> values;
  if (found != fields.end()) {
    for (const std::string& value : found->second.values) {
      if (values.size() < limit) values.push_back(value);
    }
  }
  return "{\"values\":" + JsonList(values) + ",\"limit\":" + std::to_string(limit) + "}";
}

// Each pattern has its count at one time, the end of the span: Kelp finds patterns when asked, and
// keeps none by time.
Result<std::string> LokiPatterns(LokiRequest& request) {
  const std::string text = request.Param("query");
  loki::SyntaxError error;
  const auto expr = loki::Parse(text, error);
  if (expr == nullptr) return InvalidArgumentError(loki::Describe(text, error));
  if (!expr->is_log()) return InvalidArgumentError("patterns are those of a log query");
  query::PatternsRequest patterns;
  RETURN_IF_ERROR(request.Span(patterns.from, patterns.to));
  ++patterns.to;
  patterns.limit = kPatternsMax;
  loki::Target target;
  RETURN_IF_ERROR(request.Open(target));
  patterns.limits = target.limits;
  const loki::Plan plan =
      loki::MakePlan(target, expr->selector, expr->stages, patterns.from, patterns.to);
  std::string out = "{\"status\":\"success\",\"data\":[";
  if (plan.query == nullptr) return out + "]}";
  ASSIGN_OR_RETURN(const auto found, query::FindPatterns(*plan.snapshot, *plan.query, patterns));
  for (const query::Pattern& pattern : found.patterns) {
    if (out.back() != '[') out += ',';
    out += "{\"pattern\":" + JsonText(LokiPattern(pattern.text)) + ",\"samples\":[[" +
           std::to_string(patterns.to / 1'000'000'000) + "," + std::to_string(pattern.count) +
           "]]}";
  }
  return out + "]}";
}

}  // namespace kelp::server
