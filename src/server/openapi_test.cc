// The documented API against a running server: each operation answers with a documented status, and
// each answer has the documented shape.
#include <simdjson.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "codec/kelp_batch.h"
#include "domain/domain.h"
#include "server/embedded.h"
#include "server/test_server.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::string Text(element e) { return std::string(std::string_view(e)); }

// Checks values against the part of JSON Schema that openapi.json uses.
class ShapeChecker {
 public:
  explicit ShapeChecker(element document) : document_(document) {}

  // Follows "$ref": "#/a/b".
  element Resolve(element e) const {
    element ref;
    while (e.is_object() && e["$ref"].get(ref) == simdjson::SUCCESS) {
      e = document_.at_pointer(Text(ref).substr(1));
    }
    return e;
  }

  // What is wrong with `value`, "" when nothing is.
  std::string Check(element value, element schema, const std::string& at = "$") const {
    schema = Resolve(schema);
    element part;
    if (schema["oneOf"].get(part) == simdjson::SUCCESS) {
      int fits = 0;
      for (const element option : part.get_array())
        fits += Check(value, option, at).empty() ? 1 : 0;
      return fits == 1 ? "" : at + " fits " + std::to_string(fits) + " of its forms";
    }
    if (schema["type"].get(part) == simdjson::SUCCESS && !HasType(value, part)) {
      return at + " has another type than " + simdjson::minify(part);
    }
    if (schema["enum"].get(part) == simdjson::SUCCESS) {
      bool found = false;
      for (const element option : part.get_array()) {
        found = found || simdjson::minify(option) == simdjson::minify(value);
      }
      if (!found) return at + " is none of " + simdjson::minify(part);
    }
    if (value.is_array() && schema["items"].get(part) == simdjson::SUCCESS) {
      for (const element item : value.get_array()) {
        if (std::string problem = Check(item, part, at + "[]"); !problem.empty()) return problem;
      }
    }
    return value.is_object() ? CheckObject(value, schema, at) : "";
  }

 private:
  static bool HasType(element value, element type) {
    if (type.is_array()) {
      for (const element one : type.get_array()) {
        if (HasType(value, one)) return true;
      }
      return false;
    }
    const std::string name = Text(type);
    if (name == "object") return value.is_object();
    if (name == "array") return value.is_array();
    if (name == "string") return value.is_string();
    if (name == "boolean") return value.is_bool();
    if (name == "null") return value.is_null();
    if (name == "integer") return value.is_int64() || value.is_uint64();
    return name == "number" && value.is_number();
  }

  std::string CheckObject(element value, element schema, const std::string& at) const {
    element properties, required, additional;
    if (schema["required"].get(required) == simdjson::SUCCESS) {
      for (const element name : required.get_array()) {
        element member;
        if (value[Text(name)].get(member) != simdjson::SUCCESS) {
          return at + " lacks " + Text(name);
        }
      }
    }
    if (schema["properties"].get(properties) != simdjson::SUCCESS) return "";
    const bool closed = schema["additionalProperties"].get(additional) == simdjson::SUCCESS &&
                        additional.is_bool() && !bool(additional);
    for (const auto [key, member] : object(value)) {
      element property;
      if (properties[key].get(property) == simdjson::SUCCESS) {
        const std::string problem = Check(member, property, at + "." + std::string(key));
        if (!problem.empty()) return problem;
      } else if (closed) {
        return at + " has the key " + std::string(key) + ", which is not documented";
      }
    }
    return "";
  }

  element document_;
};

struct Operation {
  std::string method;
  std::string path;
  element description;
};

struct Sample {
  int status;
  std::string target;  // with its names filled in
  std::string body = "";
};

class OpenApiTest : public ServerTest {
 protected:
  OpenApiTest() {
    config_.http.body_bytes_max = 64_KiB;
    text_ = std::string(OpenApiFiles().front().bytes);
    document_ = parser_.parse(text_);
    for (const auto [path, methods] : object(document_["paths"])) {
      for (const auto [method, description] : object(methods)) {
        if (method == "parameters") continue;
        std::string upper(method);
        for (char& c : upper) c = static_cast<char>(std::toupper(c));
        operations_[Text(description["operationId"])] = {upper, std::string(path), description};
      }
    }
  }

  // The documented answer of that status; nullopt when there is none.
  std::optional<element> Documented(const Operation& operation, int status) const {
    element response;
    if (operation.description["responses"][std::to_string(status)].get(response) !=
        simdjson::SUCCESS) {
      return std::nullopt;
    }
    return ShapeChecker(document_).Resolve(response);
  }

  void ExpectDocumented(const std::string& name, const net::HttpResponse& answer) {
    const Operation& operation = operations_.at(name);
    const auto documented = Documented(operation, answer.status);
    ASSERT_TRUE(documented) << name << " answers " << answer.status
                            << ", which is not documented: " << answer.body;
    element content;
    if ((*documented)["content"].get(content) != simdjson::SUCCESS) {
      EXPECT_EQ(answer.body, "") << name;
      return;
    }
    const auto type = *object(content).begin();
    EXPECT_TRUE(answer.headers.Get("Content-Type").starts_with(type.key)) << name;
    if (type.key != "application/json") return;
    simdjson::dom::parser parser;
    element value;
    ASSERT_EQ(parser.parse(answer.body).get(value), simdjson::SUCCESS) << name << answer.body;
    EXPECT_EQ(ShapeChecker(document_).Check(value, type.value["schema"]), "")
        << name << ": " << answer.body;
  }

  // A tail does not end by itself: its first bytes are enough.
  net::HttpResponse CallOnce(const std::string& token, const Operation& operation,
                             const std::string& target, const std::string& body) {
    if (!target.ends_with("/tail")) return CallAs(token, operation.method, target, body);
    net::HttpClientRequest request;
    request.url = "http://" + server_->address() + target;
    if (!token.empty()) request.headers.Set("Authorization", "Bearer " + token);
    return *client_.SendStreaming(request, [](std::string_view) { return false; });
  }

  std::string text_;
  simdjson::dom::parser parser_;
  element document_;
  std::map<std::string, Operation> operations_;
};

std::string OneBatch() {
  auto batch = BatchPool::Shared().Get();
  batch->AddRow("hello", 0, 1, RealEnv().clock().Now());
  codec::BatchSetEncoder encoder;
  encoder.Add(*batch, 0);
  return encoder.Finish();
}

// What to call each operation with, and what then comes back. In this order.
std::vector<std::pair<std::string, Sample>> Samples(const std::string& code) {
  const std::string project = "/api/v1/projects/default";
  const std::string logs = project + "/logstores/logs";
  const std::string none = "/api/v1/projects/none";
  const std::string loki = "/loki/api/v1";
  const std::string alert =
      R"({"logstores":["logs"],"q":"level:error","condition":{"op":">","value":5},)"
      R"("webhook":{"url":"https://hook.invalid/x","headers":{"A":"b"},"body":"{{alert}}"}})";
  const std::string big(65 << 10, 'x');
  const std::string origin = "00000000000000010000000000000002";
  return {
      {"getHealth", {200, "/healthz"}},
      {"getReady", {200, "/readyz"}},
      {"getMetrics", {200, "/metrics"}},
      {"getOpenApi", {200, "/api/v1/openapi.json"}},
      {"signIn", {200, "/api/v1/sign-in", "{\"code\":\"" + code + "\"}"}},
      {"signIn", {401, "/api/v1/sign-in", "{\"code\":\"" + code + "\"}"}},
      {"signIn", {400, "/api/v1/sign-in", "{}"}},
      {"signOut", {204, "/api/v1/sign-out"}},
      {"getSession", {200, "/api/v1/session"}},
      {"listProjects", {200, "/api/v1/projects"}},
      {"createProject", {201, "/api/v1/projects", "{\"name\":\"web\"}"}},
      {"createProject", {409, "/api/v1/projects", "{\"name\":\"web\"}"}},
      {"createProject", {400, "/api/v1/projects", "{\"name\":\"\"}"}},
      {"listLogstores", {200, project + "/logstores"}},
      {"listLogstores", {404, none + "/logstores"}},
      {"createLogstore", {201, "/api/v1/projects/web/logstores", "{\"name\":\"a\"}"}},
      {"createLogstore", {409, "/api/v1/projects/web/logstores", "{\"name\":\"a\"}"}},
      {"createLogstore", {400, "/api/v1/projects/web/logstores", "{\"name\":7}"}},
      {"createLogstore", {404, none + "/logstores", "{\"name\":\"a\"}"}},
      {"createLogstore", {201, project + "/logstores", "{\"name\":\"logs2\"}"}},
      {"getLogstore", {200, logs}},
      {"getLogstore", {404, project + "/logstores/none"}},
      {"changeLogstore", {200, logs, "{\"retention\":\"7d\"}"}},
      {"changeLogstore", {400, logs, "{\"retention\":\"7\"}"}},
      {"changeLogstore", {404, project + "/logstores/none", "{}"}},
      {"postBatches", {200, logs + "/batches", OneBatch()}},
      {"postBatches", {400, logs + "/batches", "x"}},
      {"postBatches", {404, none + "/logstores/logs/batches", OneBatch()}},
      {"postBatches", {413, logs + "/batches", big}},
      {"postRows", {200, logs + "/rows", "{\"body\":\"hello\",\"n\":1}"}},
      {"postRows", {400, logs + "/rows", "{"}},
      {"postRows", {404, none + "/logstores/logs/rows", "{\"body\":\"hello\"}"}},
      {"postRows", {413, logs + "/rows", big}},
      {"search", {200, logs + "/search?q=hello&id=1"}},
      {"search", {200, logs + "/search?q=hello&limit=1"}},
      {"search", {400, logs + "/search?q=("}},
      {"search", {404, none + "/logstores/logs/search"}},
      {"histogram", {200, logs + "/histogram?buckets=10"}},
      {"histogram", {400, logs + "/histogram?buckets=0"}},
      {"histogram", {404, none + "/logstores/logs/histogram"}},
      // 501 where the library of DuckDB is not installed.
      {"sql",
       {sql::Engine({}).Available().ok() ? 200 : 501,
        logs + "/sql?q=*%7CSELECT%20count(*)%20AS%20n,time%20GROUP%20BY%202"}},
      {"sql", {400, logs + "/sql?q=hello"}},
      {"sql", {404, none + "/logstores/logs/sql?q=*%7CSELECT%201"}},
      {"tail", {200, logs + "/tail"}},
      {"tail", {404, none + "/logstores/logs/tail"}},
      {"explain", {200, logs + "/explain?q=hello"}},
      {"explain", {200, logs + "/explain?q=n:1&of=histogram"}},
      {"explain", {400, logs + "/explain?of=all"}},
      {"explain", {404, none + "/logstores/logs/explain"}},
      {"listFields", {200, logs + "/fields"}},
      {"listFields", {200, logs + ",logs2/fields?q=hello"}},
      {"listFields", {400, logs + "/fields?rows=0"}},
      {"listFields", {404, none + "/logstores/logs/fields"}},
      {"getField", {200, logs + "/fields/n?prefix=1"}},
      {"getField", {200, logs + "/fields/no/such"}},
      {"getField", {400, logs + "/fields/n?top=1001"}},
      {"getField", {404, none + "/logstores/logs/fields/n"}},
      {"listPatterns", {200, logs + "/patterns"}},
      {"listPatterns", {200, logs + "/patterns?compare_from=-2h&compare_to=-1h"}},
      {"listPatterns", {400, logs + "/patterns?compare_from=-2h"}},
      {"listPatterns", {404, none + "/logstores/logs/patterns"}},
      {"getContext", {200, logs + "/context?origin=" + origin + "&offset=0&time=now"}},
      {"getContext", {400, logs + "/context?origin=x"}},
      {"getContext", {404, none + "/logstores/logs/context?offset=0&time=now&origin=" + origin}},
      {"export", {200, logs + "/export?q=hello&id=e"}},
      {"export", {400, logs + "/export?format=xml"}},
      {"export", {404, none + "/logstores/logs/export"}},
      {"getProgress", {200, "/api/v1/queries/e"}},
      {"getProgress", {404, "/api/v1/queries/1"}},
      {"cancelQuery", {404, "/api/v1/queries/1"}},
      {"listSavedSearches", {200, project + "/saved-searches"}},
      {"listSavedSearches", {404, none + "/saved-searches"}},
      {"putSavedSearch", {200, project + "/saved-searches/a%20b", "{\"q\":\"x\",\"view\":{}}"}},
      {"putSavedSearch", {400, project + "/saved-searches/a", "{\"q\":7}"}},
      {"putSavedSearch", {404, none + "/saved-searches/a", "{}"}},
      {"listSavedSearches", {200, project + "/saved-searches"}},
      {"getSavedSearch", {200, project + "/saved-searches/a%20b"}},
      {"getSavedSearch", {404, project + "/saved-searches/b"}},
      {"deleteSavedSearch", {204, project + "/saved-searches/a%20b"}},
      {"deleteSavedSearch", {404, project + "/saved-searches/a%20b"}},
      {"putDashboard", {200, project + "/dashboards/d", "{\"panels\":[{\"width\":12}]}"}},
      {"putDashboard", {400, project + "/dashboards/d", "{\"panels\":7}"}},
      {"listDashboards", {200, project + "/dashboards"}},
      {"listDashboards", {404, none + "/dashboards"}},
      {"getDashboard", {200, project + "/dashboards/d"}},
      {"getDashboard", {404, project + "/dashboards/e"}},
      {"deleteDashboard", {204, project + "/dashboards/d"}},
      {"deleteDashboard", {404, project + "/dashboards/d"}},
      {"search", {200, logs + "/search?q=hello&history=1"}},
      {"getHistory", {200, project + "/history"}},
      {"getHistory", {400, project + "/history?limit=0"}},
      {"getHistory", {404, none + "/history"}},
      {"clearHistory", {204, project + "/history"}},
      {"clearHistory", {404, none + "/history"}},
      {"createToken", {201, "/api/v1/tokens", "{\"name\":\"n\",\"role\":\"viewer\"}"}},
      {"createToken", {400, "/api/v1/tokens", "{\"name\":\"n\"}"}},
      {"createToken",
       {404, "/api/v1/tokens", "{\"name\":\"n\",\"role\":\"viewer\",\"project\":\"none\"}"}},
      {"listTokens", {200, "/api/v1/tokens"}},
      {"deleteToken", {404, "/api/v1/tokens/none"}},
      {"listAgents", {200, "/api/v1/agents"}},
      {"lokiQueryRange", {200, loki + "/query_range?query=%7Blogstore=%22logs%22%7D"}},
      {"lokiQueryRange",
       {200, loki + "/query_range?query=rate(%7Blogstore=%22logs%22%7D%5B1m%5D)"}},
      {"lokiQueryRange", {400, loki + "/query_range?query=%7B"}},
      {"lokiQuery", {200, loki + "/query?query=vector(1)"}},
      {"lokiQuery", {200, loki + "/query?query=1"}},
      {"lokiLabels", {200, loki + "/labels"}},
      {"lokiLabelValues", {200, loki + "/label/logstore/values"}},
      {"lokiSeries", {200, loki + "/series"}},
      {"lokiStats", {200, loki + "/index/stats?query=%7Blogstore=%22logs%22%7D"}},
      {"lokiVolume", {200, loki + "/index/volume?query=%7Blogstore=%22logs%22%7D"}},
      {"lokiVolumeRange", {200, loki + "/index/volume_range?query=%7Blogstore=%22logs%22%7D"}},
      {"lokiDetectedLabels", {200, loki + "/detected_labels"}},
      {"lokiDetectedFields", {200, loki + "/detected_fields?query=%7Blogstore=%22logs%22%7D"}},
      {"lokiDetectedFieldValues",
       {200, loki + "/detected_field/n/values?query=%7Blogstore=%22logs%22%7D"}},
      {"lokiPatterns", {200, loki + "/patterns?query=%7Blogstore=%22logs%22%7D"}},
      {"lokiFormatQuery", {200, loki + "/format_query?query=%7Blogstore=%22logs%22%7D"}},
      {"lokiBuildInfo", {200, loki + "/status/buildinfo"}},
      {"lokiDrilldownLimits", {200, loki + "/drilldown-limits"}},
      {"lokiTail", {400, loki + "/tail?query=%7Blogstore=%22logs%22%7D"}},
      {"putAlert", {200, project + "/alerts/a", alert}},
      {"putAlert", {400, project + "/alerts/a", "{}"}},
      {"putAlert", {404, none + "/alerts/a", alert}},
      {"listAlerts", {200, project + "/alerts"}},
      {"listAlerts", {404, none + "/alerts"}},
      {"getAlert", {200, project + "/alerts/a"}},
      {"getAlert", {404, project + "/alerts/b"}},
      {"silenceAlert", {200, project + "/alerts/a/silence", "{\"until\":null}"}},
      {"silenceAlert", {400, project + "/alerts/a/silence", "{}"}},
      {"silenceAlert", {404, project + "/alerts/b/silence", "{\"until\":1}"}},
      {"deleteAlert", {204, project + "/alerts/a"}},
      {"deleteAlert", {404, project + "/alerts/a"}},
      {"deleteLogstore", {204, "/api/v1/projects/web/logstores/a"}},
      {"deleteLogstore", {404, "/api/v1/projects/web/logstores/a"}},
      {"deleteProject", {204, "/api/v1/projects/web"}},
      {"deleteProject", {404, "/api/v1/projects/web"}},
  };
}

// True when `target` is an instance of `pattern` with its {names}.
bool Fits(std::string_view pattern, std::string_view target) {
  target = target.substr(0, target.find('?'));
  while (!pattern.empty() && !target.empty()) {
    if (pattern.front() == '{') {
      if (pattern == "{name}") return true;  // takes slashes, too
      pattern.remove_prefix(pattern.find('}') + 1);
      target.remove_prefix(std::min(target.find('/'), target.size()));
    } else if (pattern.front() != target.front()) {
      return false;
    } else {
      pattern.remove_prefix(1);
      target.remove_prefix(1);
    }
  }
  return pattern.empty() && target.empty();
}

TEST_F(OpenApiTest, EveryDocumentedOperationAnswersAsDocumented) {
  Start();
  auto access = *domain::Domain::Open(RealEnv(), config_.DomainPath());
  std::set<std::string> called;
  for (const auto& [name, sample] : Samples(*access->CreateSignInCode(domain::Role::kAdmin))) {
    ASSERT_TRUE(operations_.count(name)) << name;
    const Operation& operation = operations_.at(name);
    ASSERT_TRUE(Fits(operation.path, sample.target)) << name << " " << sample.target;
    const net::HttpResponse answer = CallOnce(admin_, operation, sample.target, sample.body);
    EXPECT_EQ(answer.status, sample.status) << name << ": " << answer.body;
    ExpectDocumented(name, answer);
    called.insert(name);
  }
  for (const auto& [name, operation] : operations_) EXPECT_TRUE(called.count(name)) << name;
}

TEST_F(OpenApiTest, RolesAreTheDocumentedOnes) {
  Start();
  auto access = *domain::Domain::Open(RealEnv(), config_.DomainPath());
  ASSERT_TRUE(access->AddToken("a-viewer", domain::Role::kViewer, "").ok());
  const std::map<std::string, std::string> tokens = {
      {"admin", admin_}, {"ingest", agent_}, {"viewer", "a-viewer"}};
  for (const auto& [name, operation] : operations_) {
    // Nothing has these names, so that calls that are allowed change nothing.
    std::string target = operation.path;
    for (size_t open; (open = target.find('{')) != std::string::npos;) {
      target.replace(open, target.find('}') - open + 1, "nothing");
    }
    element roles;
    const bool secured = operation.description["x-kelp-roles"].get(roles) == simdjson::SUCCESS;
    const net::HttpResponse nobody = CallAs("", operation.method, target);
    if (!secured) {
      EXPECT_NE(nobody.status, 403) << name;
      continue;
    }
    EXPECT_EQ(nobody.status, 401) << name;
    ExpectDocumented(name, nobody);
    for (const auto& [role, token] : tokens) {
      bool allowed = false;
      for (const element one : roles.get_array()) allowed = allowed || Text(one) == role;
      const net::HttpResponse answer = CallAs(token, operation.method, target);
      EXPECT_EQ(answer.status == 403, !allowed) << name << " as " << role << ": " << answer.body;
      ExpectDocumented(name, answer);
    }
  }
}

// Also of routes that come later: those that show every project have to be named here.
TEST_F(OpenApiTest, ATokenOfOneProjectGetsNowhereElse) {
  Start();
  auto access = *domain::Domain::Open(RealEnv(), config_.DomainPath());
  ASSERT_TRUE(access->CreateProject("other").ok());
  ASSERT_TRUE(access->AddToken("of-other", domain::Role::kAdmin, "", "other").ok());
  const std::set<std::string> for_all = {"/api/v1/agents", "/api/v1/queries/{id}",
                                         "/api/v1/session"};
  for (const auto& [name, operation] : operations_) {
    element roles;
    if (operation.description["x-kelp-roles"].get(roles) != simdjson::SUCCESS) continue;
    const bool lists = operation.method == "GET" && operation.path == "/api/v1/projects";
    const bool open = lists || for_all.count(operation.path) != 0;
    std::string target = operation.path;
    for (size_t at; (at = target.find('{')) != std::string::npos;) {
      target.replace(at, target.find('}') - at + 1, "default");
    }
    const net::HttpResponse answer = CallAs("of-other", operation.method, target);
    EXPECT_EQ(answer.status == 403, !open) << name << ": " << answer.body;
    EXPECT_EQ(answer.body.find("\"name\":\"default\""), std::string::npos)
        << name << ": " << answer.body;
  }
}

TEST_F(OpenApiTest, IsServedAsItIs) {
  Start();
  EXPECT_EQ(CallAs("", "GET", "/api/v1/openapi.json").body, text_);
}

}  // namespace
}  // namespace kelp::server
