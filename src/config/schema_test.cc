#include "config/schema.h"

#include <gtest/gtest.h>

namespace kelp::config {

enum class Color { kRed, kGreen };
enum class Mode { kFast, kSafe };

template <>
struct EnumNames<Color> {
  static constexpr std::string_view kNames[] = {"red", "green"};
};

namespace {

// A type that reads itself from a scalar.
struct Shout {
  std::string text;
  static constexpr std::string_view kConfigType = "shout";
  static Result<Shout> Parse(std::string_view text) {
    if (!text.ends_with('!')) return InvalidArgumentError("a shout ends with \"!\"");
    return Shout{std::string(text)};
  }
  std::string ToString() const { return text; }
};

// A type that reads itself from a scalar or a map.
struct Start {
  bool beginning = true;
  ByteSize last;
  static std::optional<Start> FromConfig(const ConfigNode& node, const std::string& key_path,
                                         Problems& problems) {
    if (node.text() == "beginning") return Start{};
    const ConfigNode* last = node.Find("last");
    const Result<ByteSize> size = last ? ParseByteSize(last->text()) : ByteSize{0};
    if (last && size.ok()) return Start{false, size.value()};
    problems.Add(node, key_path, "expected beginning or last: SIZE");
    return std::nullopt;
  }
};

struct Tls {
  std::string ca;
  bool verify = true;
  static const Schema<Tls>& ConfigSchema() {
    static const auto schema = Schema<Tls>("tls", "Encryption.")
                                   .Field("ca", &Tls::ca, {.doc = "Authority.", .required = true})
                                   .Field("verify", &Tls::verify, {.doc = "Check the peer."});
    return schema;
  }
};

// A schema that refers to itself.
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

struct Common {
  bool required = true;
};

struct Config : Common {
  std::vector<std::string> include;
  Duration interval = 1s;
  ByteSize line = 256_KiB;
  int32_t workers = 4;
  uint16_t port = 80;
  double ratio = 0.5;
  bool follow = false;
  Color color = Color::kGreen;
  Mode mode = Mode::kSafe;
  std::string codec = "zstd";
  std::string token;
  std::map<std::string, Duration> waits;
  std::optional<int> limit;
  Tls tls;
  std::optional<Tls> extra_tls;
  Shout shout{"hey!"};
  std::vector<Shout> shouts;
  Start start;
  Condition where;
  std::vector<ConfigNode> inputs;

  static const Schema<Config>& ConfigSchema() {
    static const auto schema =
        Schema<Config>("demo", "Shows every kind of field.")
            .Field("include", &Config::include,
                   {.doc = "Paths.",
                    .required = true,
                    .example = "[/a]",
                    .items_min = 1,
                    .scalar_ok = true})
            .Field("interval", &Config::interval, {.doc = "Pause.", .min = 100ms, .max = 1h})
            .Field("line", &Config::line, {.doc = "Line.", .min = 1_KiB, .max = 16_MiB})
            .Field("workers", &Config::workers, {.doc = "Workers.", .min = 1, .max = 64})
            .Field("port", &Config::port, {.doc = "Port."})
            .Field("ratio", &Config::ratio, {.doc = "Ratio.", .min = 0, .max = 1.0})
            .Field("follow", &Config::follow, {.doc = "Follow."})
            .Field("color", &Config::color, {.doc = "Color."})
            .Field("mode", &Config::mode, {.doc = "Mode.", .choices = {"fast", "safe"}})
            .Field("codec", &Config::codec, {.doc = "Codec.", .choices = {"zstd", "gzip"}})
            .Field("token", &Config::token, {.doc = "Token.", .secret = true})
            .Field("waits", &Config::waits, {.doc = "Waits.", .min = 1s})
            .Field("limit", &Config::limit, {.doc = "Limit.", .min = 0})
            .Field("tls", &Config::tls, {.doc = "TLS."})
            .Field("extra_tls", &Config::extra_tls, {.doc = "More TLS."})
            .Field("shout", &Config::shout, {.doc = "Shout."})
            .Field("shouts", &Config::shouts, {.doc = "Shouts."})
            .Field("start", &Config::start, {.doc = "Start."})
            .Field("where", &Config::where, {.doc = "Where."})
            .Field("inputs", &Config::inputs, {.doc = "Inputs.", .component = "input"})
            .Field("required", &Config::required, {.doc = "Hold back."})
            .Check([](const Config& c, CheckContext& context) {
              if (c.follow && c.workers > 8) {
                context.Fail("workers", "at most 8 with follow");
              }
            });
    return schema;
  }
};

Config MustParse(std::string_view yaml) {
  Result<Config> config = Config::ConfigSchema().ParseText(yaml, "c.yaml");
  EXPECT_TRUE(config.ok()) << config.status().ToString();
  return config.ok() ? std::move(config).value() : Config{};
}

std::string ErrorOf(std::string_view yaml) {
  const std::string text = "tls: {ca: x}\ninclude: [/a]\n" + std::string(yaml);
  Result<Config> config = Config::ConfigSchema().ParseText(text, "c");
  EXPECT_FALSE(config.ok()) << yaml;
  return config.ok() ? "" : std::string(config.status().message());
}

TEST(Schema, InitialisersAreTheDefaults) {
  const Config c = MustParse("include: [/a]\ntls: {ca: x}\n");
  EXPECT_EQ(c.interval, 1s);
  EXPECT_EQ(c.color, Color::kGreen);
  EXPECT_FALSE(c.limit.has_value());
  EXPECT_TRUE(c.tls.verify);
  EXPECT_EQ(c.shout.text, "hey!");
}

TEST(Schema, ReadsEveryKindOfField) {
  const Config c = MustParse(R"(
include: /var/log/*.log
interval: 1m30s
line: 64KiB
workers: "8"
port: 65535
ratio: 1e-1
follow: true
color: red
mode: fast
codec: gzip
token: abc
waits: {a: 5s, b: 2m}
limit: 7
tls: {ca: /ca.pem, verify: false}
extra_tls: {ca: b}
shout: ho!
shouts: [a!, b!]
start: {last: 1MiB}
where: {any: [{field: x}, {any: [{field: y}]}]}
inputs: [{type: file, include: [x]}, {type: pod_logs}]
required: false
)");
  EXPECT_EQ(c.include, std::vector<std::string>{"/var/log/*.log"});
  EXPECT_EQ(c.interval, 90s);
  EXPECT_EQ(c.line, 64_KiB);
  EXPECT_EQ(c.workers, 8);
  EXPECT_EQ(c.port, 65535);
  EXPECT_DOUBLE_EQ(c.ratio, 0.1);
  EXPECT_TRUE(c.follow);
  EXPECT_EQ(c.color, Color::kRed);
  EXPECT_EQ(c.mode, Mode::kFast);
  EXPECT_EQ(c.codec, "gzip");
  EXPECT_EQ(c.waits.at("b"), 2min);
  EXPECT_EQ(c.limit, 7);
  EXPECT_FALSE(c.tls.verify);
  EXPECT_EQ(c.extra_tls->ca, "b");
  EXPECT_EQ(c.shouts[1].text, "b!");
  EXPECT_EQ(c.start.last, 1_MiB);
  EXPECT_EQ(c.where.any[1].any[0].field, "y");
  EXPECT_EQ(c.inputs[1].Find("type")->text(), "pod_logs");
  EXPECT_FALSE(c.required);
}

TEST(Schema, TellsAllProblemsAtOnceInOrderWithPlaces) {
  Result<Config> config = Config::ConfigSchema().ParseText(
      "includ: [/a]\ninterval: 5\nworkers: 100\ntls:\n  verfy: true\n  verify: maybe\n", "c.yaml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().message(),
            "c.yaml:1:1: unknown key \"includ\"; did you mean \"include\"?\n"
            "c.yaml:1:1: missing required key \"include\", such as include: [/a]\n"
            "c.yaml:2:11: \"5\" is not a duration such as 5s or 1h30m; the unit is missing, write "
            "5s\n"
            "c.yaml:3:10: \"100\" is above the maximum, 64\n"
            "c.yaml:5:3: unknown key \"verfy\"; did you mean \"verify\"?\n"
            "c.yaml:5:3: missing required key \"ca\"\n"
            "c.yaml:6:11: \"maybe\" is not true or false");
}

TEST(Schema, SaysWhatWasFoundAndWhatIsExpected) {
  EXPECT_EQ(ErrorOf("interval: 50ms"), "c:3:11: \"50ms\" is below the minimum, 100ms");
  EXPECT_EQ(ErrorOf("interval: [1s]"),
            "c:3:11: expected a duration such as 5s or 1h30m, found a list");
  EXPECT_EQ(ErrorOf("line: 64"),
            "c:3:7: \"64\" is not a size such as 64KiB or 10MB; the unit is missing, write 64MiB");
  EXPECT_EQ(ErrorOf("line: 1GiB"), "c:3:7: \"1GiB\" is above the maximum, 16MiB");
  EXPECT_EQ(ErrorOf("workers: four"), "c:3:10: \"four\" is not an integer such as 8");
  EXPECT_EQ(ErrorOf("workers: 2.5"), "c:3:10: \"2.5\" is not an integer such as 8");
  EXPECT_EQ(ErrorOf("port: 65536"), "c:3:7: \"65536\" is above 65535");
  EXPECT_EQ(ErrorOf("port: -1"), "c:3:7: \"-1\" is not an integer such as 8");
  EXPECT_EQ(ErrorOf("ratio: 1.5"), "c:3:8: \"1.5\" is above the maximum, 1");
  EXPECT_EQ(ErrorOf("ratio: nan"), "c:3:8: \"nan\" is not a number such as 0.5");
  EXPECT_EQ(ErrorOf("color: gren"),
            "c:3:8: \"gren\" is not one of red, green; did you mean \"green\"?");
  EXPECT_EQ(ErrorOf("codec: {a: b}"), "c:3:8: expected one of zstd, gzip, found a map");
  EXPECT_EQ(ErrorOf("shouts: [a!, b]"), "c:3:14: a shout ends with \"!\"");
  EXPECT_EQ(ErrorOf("shouts: a!"), "c:3:9: expected a list, found \"a!\"; write [a!]");
  EXPECT_EQ(ErrorOf("waits: {a: 5ms}"), "c:3:12: \"5ms\" is below the minimum, 1s");
  EXPECT_EQ(ErrorOf("waits: [5ms]"), "c:3:8: expected a map of keys and values, found a list");
  EXPECT_EQ(ErrorOf("tls2: x"), "c:3:1: unknown key \"tls2\"; did you mean \"tls\"?");
  EXPECT_EQ(ErrorOf("limit: x"), "c:3:8: \"x\" is not an integer such as 8");
  EXPECT_EQ(ErrorOf("extra_tls: x"), "c:3:12: expected a map of keys and values, found \"x\"");
  EXPECT_EQ(ErrorOf("start: end"), "c:3:8: expected beginning or last: SIZE");
}

TEST(Schema, RefusesAListThatIsTooShort) {
  Result<Config> config = Config::ConfigSchema().ParseText("include: []\ntls: {ca: x}\n", "c");
  EXPECT_EQ(config.status().message(), "c:1:10: needs at least 1 item, has 0");
}

TEST(Schema, ChecksAcrossFieldsOnlyWhenTheFieldsAreGood) {
  EXPECT_EQ(ErrorOf("follow: true\nworkers: 9"), "c:4:10: at most 8 with follow");
  EXPECT_EQ(ErrorOf("follow: true\nworkers: 9\nport: x"),
            "c:5:7: \"x\" is not an integer such as 8");
}

TEST(Schema, KeyPathsNameListItemsAndNestedKeys) {
  Problems problems;
  const ConfigNode node =
      ParseYaml("include: [/a, [x]]\ntls: {ca: x, verify: 1}\nwaits: {a: b}\n", "c").value();
  Config::ConfigSchema().Parse(node, problems, Scope{.path = "pipelines[0]"});
  std::vector<std::string> paths;
  for (const Problem& problem : problems.Sorted()) paths.push_back(problem.key_path);
  EXPECT_EQ(paths, (std::vector<std::string>{"pipelines[0].include[1]", "pipelines[0].tls.verify",
                                             "pipelines[0].waits.a"}));
}

TEST(Schema, KnownKeysOfTheScopeAreNoneOfItsBusiness) {
  Problems problems;
  const ConfigNode node = ParseYaml("{type: tls, ca: x}", "c").value();
  Tls::ConfigSchema().Parse(node, problems, Scope{.known_keys = {"type"}});
  EXPECT_TRUE(problems.empty()) << problems.ToString();
}

TEST(Schema, NeverQuotesASecret) {
  const std::string error = ErrorOf("token: [hunter2]");
  EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
}

TEST(Schema, PrintsDefaultsThatReadBackAsThemselves) {
  const Schema<Config>& schema = Config::ConfigSchema();
  EXPECT_EQ(schema.DefaultYaml(*schema.FindField("interval")), "1s");
  EXPECT_EQ(schema.DefaultYaml(*schema.FindField("line")), "256KiB");
  EXPECT_EQ(schema.DefaultYaml(*schema.FindField("color")), "green");
  EXPECT_EQ(schema.DefaultYaml(*schema.FindField("mode")), "safe");
  EXPECT_EQ(schema.DefaultYaml(*schema.FindField("waits")), "{}");
  EXPECT_EQ(schema.DefaultYaml(*schema.FindField("token")), "\"\"");
  EXPECT_EQ(schema.DefaultYaml(*schema.FindField("limit")), "");
  EXPECT_EQ(schema.DefaultYaml(*schema.FindField("include")), "");
  EXPECT_EQ(schema.FindField("shouts")->type.name, "list of shout");

  Config c;
  c.include = {"/a"};
  c.tls.ca = "x";
  c.color = Color::kRed;
  c.limit = 3;
  const std::string yaml = PrintYaml(schema.ToNode(c));
  const Config back = MustParse(yaml);
  EXPECT_EQ(back.color, Color::kRed);
  EXPECT_EQ(back.limit, 3);
  EXPECT_EQ(back.line, c.line);
}

TEST(SchemaDeathTest, ALimitOfTheWrongKindIsABug) {
  EXPECT_DEATH(Schema<Tls>("t", "").Field("ca", &Tls::ca, {.min = 1s}), "not of the field's kind");
  EXPECT_DEATH(Schema<Tls>("t", "").Field("a", &Tls::ca, {}).Field("a", &Tls::ca, {}), "twice");
}

}  // namespace
}  // namespace kelp::config
