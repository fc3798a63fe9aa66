#include "config/describe.h"

#include <gtest/gtest.h>

namespace kelp::config {
namespace {

struct Credentials {
  std::string user;
  std::string password;
  static const Schema<Credentials>& ConfigSchema() {
    static const auto schema =
        Schema<Credentials>("credentials", "Who signs in.")
            .Field("user", &Credentials::user, {.doc = "Name."})
            .Field("password", &Credentials::password, {.doc = "Password.", .secret = true});
    return schema;
  }
};

struct Condition {
  std::string field;
  std::vector<Condition> any;
  static const Schema<Condition>& ConfigSchema() {
    static const auto schema = Schema<Condition>("condition", "A test.")
                                   .Field("field", &Condition::field, {.doc = "Field."})
                                   .Field("any", &Condition::any, {.doc = "One of these."});
    return schema;
  }
};

struct HttpOutput {
  std::string url;
  Duration timeout = 30s;
  std::string codec = "zstd";
  uint32_t workers = 2;
  std::vector<std::string> headers;
  std::vector<Credentials> credentials;
  Condition where;
  static const Schema<HttpOutput>& ConfigSchema() {
    static const auto schema =
        Schema<HttpOutput>("http", "Sends rows | anywhere.",
                           {.stability = Stability::kBeta, .untrusted_input = true})
            .Field("url", &HttpOutput::url,
                   {.doc = "Where to.", .required = true, .example = "http://db:80"})
            .Field("timeout", &HttpOutput::timeout,
                   {.doc = "Gives up after this.", .min = 1s, .max = 1h})
            .Field("codec", &HttpOutput::codec, {.doc = "How.", .choices = {"zstd", "none"}})
            .Field("workers", &HttpOutput::workers, {.doc = "How many.", .max = 8})
            .Field("headers", &HttpOutput::headers,
                   {.doc = "Headers.", .items_max = 9, .secret = true, .scalar_ok = true})
            .Field("credentials", &HttpOutput::credentials, {.doc = "Tried in turn."})
            .Field("where", &HttpOutput::where, {.doc = "Which rows."});
    return schema;
  }
};

struct Pipeline {
  std::string name;
  std::vector<ConfigNode> outputs;
  static const Schema<Pipeline>& ConfigSchema() {
    static const auto schema =
        Schema<Pipeline>("pipeline", "From inputs to outputs.")
            .Field("name", &Pipeline::name, {.doc = "Name.", .required = true, .example = "web"})
            .Field("outputs", &Pipeline::outputs, {.doc = "Outputs.", .component = "output"});
    return schema;
  }
};

class Catalog : public ComponentCatalog {
 public:
  std::vector<const SchemaBase*> List(std::string_view kind) const override {
    if (kind != "output") return {};
    return {&HttpOutput::ConfigSchema()};
  }
};

TEST(Describe, TextTellsEachKeyWithTypeDefaultAndBounds) {
  EXPECT_EQ(DescribeText(HttpOutput::ConfigSchema(), "output"),
            R"(output http (beta)
  Sends rows | anywhere.
  It reads bytes that anybody may have written.

Keys:
  url
      string, required
      Where to.
      Example: http://db:80
  timeout
      duration, default 30s, at least 1s, at most 1h
      Gives up after this.
  codec
      choice, default zstd
      How.
      One of: zstd, none
  workers
      integer, default 2, at most 8
      How many.
  headers
      list of string, default [], at most 9 items, secret
      Headers.
  credentials
      list of object, default []
      Tried in turn.
  credentials[].user
      string, default ""
      Name.
  credentials[].password
      string, default "", secret
      Password.
  where
      object
      Which rows.
  where.field
      string, default ""
      Field.
  where.any
      list of object, default []
      One of these.

Example:
  type: http
  url: http://db:80
)");
}

TEST(Describe, MarkdownHasProseExampleAndATableRowPerKey) {
  const std::string page = ReferenceMarkdown(HttpOutput::ConfigSchema(),
                                             {.kind = "output", .prose = "## Use\n\nWhen.\n"});
  EXPECT_EQ(page.find("# http\n\nSends rows | anywhere.\n\nStability: beta."), 0u) << page;
  EXPECT_NE(
      page.find("## Use\n\nWhen.\n\n## Example\n\n```yaml\ntype: http\nurl: http://db:80\n```"),
      std::string::npos)
      << page;
  EXPECT_NE(
      page.find("| `timeout` | duration | `30s` | Gives up after this. At least `1s`. At most "
                "`1h`. |\n"),
      std::string::npos)
      << page;
  EXPECT_NE(page.find("| `credentials[].user` |"), std::string::npos) << page;
}

TEST(Describe, JsonSchemaSaysTypesBoundsAndComponents) {
  const Catalog catalog;
  const std::string text = JsonSchema(Pipeline::ConfigSchema(), &catalog);
  const ConfigNode root =
      ParseYaml(text, "schema.json", {.expand_env = false, .env = nullptr}).value();
  EXPECT_EQ(root.Find("$schema")->text(), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(PrintJson(*root.Find("required")), R"(["name"])");
  EXPECT_EQ(PrintJson(*root.Find("properties")->Find("outputs")->Find("items")),
            R"({"$ref": "#/$defs/any_output"})");
  const ConfigNode& defs = *root.Find("$defs");
  EXPECT_EQ(PrintJson(*defs.Find("any_output")->Find("oneOf")),
            R"([{"$ref": "#/$defs/output.http"}])");
  const ConfigNode& http = *defs.Find("output.http");
  EXPECT_EQ(PrintJson(*http.Find("required")), R"(["type", "url"])");
  EXPECT_EQ(PrintJson(*http.Find("additionalProperties")), "false");
  const ConfigNode& keys = *http.Find("properties");
  EXPECT_EQ(PrintJson(*keys.Find("type")), R"({"const": "http"})");
  EXPECT_EQ(
      PrintJson(*keys.Find("workers")),
      R"({"description": "How many.", "type": "integer", "minimum": 0, "maximum": 8, "default": 2})");
  EXPECT_EQ(keys.Find("timeout")->Find("default")->text(), "30s");
  EXPECT_EQ(keys.Find("timeout")->Find("x-kelp-maximum")->text(), "1h");
  EXPECT_EQ(PrintJson(*keys.Find("codec")->Find("enum")), R"(["zstd", "none"])");
  EXPECT_EQ(keys.Find("headers")->Find("anyOf")->items().size(), 2u);
  EXPECT_EQ(PrintJson(*defs.Find("condition")->Find("properties")->Find("any")->Find("items")),
            R"({"$ref": "#/$defs/condition"})");
  EXPECT_EQ(keys.Find("url")->Find("examples")->items()[0].text(), "http://db:80");
}

// Reads its pipelines later, but says what they look like.
struct Agent {
  std::vector<ConfigNode> pipelines;
  static const Schema<Agent>& ConfigSchema() {
    static const auto schema = Schema<Agent>("agent", "Runs pipelines.")
                                   .Field("pipelines", &Agent::pipelines,
                                          {.doc = "Pipelines.", .shape = ShapeOf<Pipeline>});
    return schema;
  }
};

TEST(Describe, ASubtreeReadLaterIsDescribedByItsShape) {
  const Catalog catalog;
  const ConfigNode node =
      ParseYaml("pipelines: [{name: a, outputs: [{type: http, headers: [s]}], odd: 1}]", "c")
          .value();
  Problems problems;
  EXPECT_EQ(Agent::ConfigSchema().Parse(node, problems).pipelines.size(), 1u);
  EXPECT_TRUE(problems.empty()) << problems.ToString();
  EXPECT_EQ(PrintYamlInline(Redacted(node, Agent::ConfigSchema(), &catalog)),
            "{pipelines: [{name: a, outputs: [{type: http, headers: \"***\"}], odd: 1}]}");
  EXPECT_NE(DescribeText(Agent::ConfigSchema()).find("pipelines[].outputs"), std::string::npos);
  EXPECT_NE(JsonSchema(Agent::ConfigSchema(), &catalog).find("#/$defs/output.http"),
            std::string::npos);
}

TEST(Describe, RedactedHidesSecretsWhereverTheyAre) {
  const ConfigNode node = ParseYaml(
                              "name: web\noutputs:\n"
                              "  - type: http\n    url: u\n    headers: [a, b]\n"
                              "    credentials: [{user: me, password: p}, {password: ''}]\n"
                              "  - {type: other, key: k}\n",
                              "c")
                              .value();
  const Catalog catalog;
  EXPECT_EQ(PrintYaml(Redacted(node, Pipeline::ConfigSchema(), &catalog)),
            "name: web\noutputs:\n  - type: http\n    url: u\n    headers: \"***\"\n"
            "    credentials:\n      - user: me\n        password: \"***\"\n"
            "      - password: \"\"\n  - type: other\n    key: \"***\"\n");
  const std::string blind = PrintYaml(Redacted(node, Pipeline::ConfigSchema()));
  EXPECT_EQ(blind.find("url: u"), std::string::npos) << blind;
}

}  // namespace
}  // namespace kelp::config
