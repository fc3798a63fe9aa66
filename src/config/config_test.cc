#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "config/node.h"
#include "config/problems.h"
#include "config/yaml.h"

namespace kelp::config {
namespace {

YamlOptions Vars(std::map<std::string, std::string> vars) {
  YamlOptions options;
  options.env = [vars = std::move(vars)](const std::string& name) -> std::optional<std::string> {
    const auto found = vars.find(name);
    return found == vars.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
  return options;
}

ConfigNode MustParse(std::string_view text, const YamlOptions& options = Vars({})) {
  Result<ConfigNode> node = ParseYaml(text, "a.yaml", options);
  EXPECT_TRUE(node.ok()) << node.status().ToString();
  return node.ok() ? *node : ConfigNode();
}

std::string ErrorOf(std::string_view text, const YamlOptions& options = Vars({})) {
  Result<ConfigNode> node = ParseYaml(text, "a.yaml", options);
  EXPECT_FALSE(node.ok()) << text;
  return node.ok() ? "" : std::string(node.status().message());
}

TEST(Yaml, KeepsShapesAndPlacesOfValuesAndKeys) {
  const ConfigNode root = MustParse("name: web\nlist:\n  - one\n  - {two: 2}\nempty:\n");
  ASSERT_TRUE(root.is_map());
  EXPECT_EQ(root.file(), "a.yaml");
  EXPECT_EQ(root.Find("name")->text(), "web");
  EXPECT_EQ(root.Find("name")->line(), 1);
  EXPECT_EQ(root.Find("name")->column(), 7);
  const ConfigNode& list = *root.Find("list");
  ASSERT_EQ(list.items().size(), 2u);
  EXPECT_EQ(list.items()[1].FindEntry("two")->place.line, 4);
  EXPECT_EQ(list.items()[1].FindEntry("two")->place.column, 6);
  EXPECT_TRUE(root.Find("empty")->is_null());
  EXPECT_EQ(root.Find("absent"), nullptr);
}

TEST(Yaml, TellsQuotedScalarsFromPlainOnes) {
  const ConfigNode root = MustParse("a: \"5\"\nb: 5\nc: '~'\nd: ~\ne: null\nf: !!str 7\n");
  EXPECT_TRUE(root.Find("a")->quoted());
  EXPECT_FALSE(root.Find("b")->quoted());
  EXPECT_EQ(root.Find("c")->text(), "~");
  EXPECT_TRUE(root.Find("d")->is_null());
  EXPECT_TRUE(root.Find("e")->is_null());
  EXPECT_TRUE(root.Find("f")->quoted());
}

TEST(Yaml, AnEmptyTextIsNothing) {
  EXPECT_TRUE(MustParse("").is_null());
  EXPECT_TRUE(MustParse("# only a comment\n").is_null());
}

TEST(Yaml, RefusesADuplicateKeyAtItsSecondPlace) {
  EXPECT_EQ(ErrorOf("a: 1\nb: 2\na: 3\n"), "a.yaml:3:1: the key \"a\" stands twice in this map");
}

TEST(Yaml, NamesThePlaceOfASyntaxError) {
  const std::string error = ErrorOf("a: 1\nb: [1, 2\nc: 3\n");
  EXPECT_EQ(error.rfind("a.yaml:3:", 0), 0u) << error;
  EXPECT_NE(error.find("not valid YAML"), std::string::npos) << error;
}

TEST(Yaml, RefusesBytesThatAreNotUtf8) {
  EXPECT_EQ(ErrorOf("a: 1\nb: \xff\n"), "a.yaml:2:4: not UTF-8 text; save the file as UTF-8");
  EXPECT_FALSE(ErrorOf(std::string_view("a: \0", 4)).empty());
  EXPECT_FALSE(ErrorOf("a: \xed\xa0\x80").empty());
  EXPECT_FALSE(ErrorOf("a: \"\\N\"").empty());
  EXPECT_FALSE(ErrorOf("a: \"\\0\"").empty());
  EXPECT_FALSE(ErrorOf("a: ${BAD}", Vars({{"BAD", "\xff"}})).empty());
  EXPECT_EQ(MustParse("名: 值\n").Find("名")->text(), "值");
}

TEST(Yaml, RefusesASecondDocument) {
  EXPECT_NE(ErrorOf("a: 1\n---\nb: 2\n").find("only one"), std::string::npos);
}

TEST(Yaml, RefusesKeysThatAreNoText) {
  EXPECT_NE(ErrorOf("{[1, 2]: 3}").find("a key must be text"), std::string::npos);
  EXPECT_NE(ErrorOf("? {a: b}\n: 3\n").find("a key must be text"), std::string::npos);
}

TEST(Yaml, RefusesDepthThatNoSchemaHas) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_NE(ErrorOf(deep).find("levels deep"), std::string::npos);
  const std::string deeper = std::string(100000, '[');
  EXPECT_FALSE(ErrorOf(deeper).empty());
}

TEST(Yaml, RefusesAnAliasBomb) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j ? ", " : "") + last;
    text += "]\n";
  }
  EXPECT_NE(ErrorOf(text).find("aliases included"), std::string::npos);
}

TEST(Yaml, RefusesATextThatIsTooLarge) {
  const std::string text(kYamlBytesMax.bytes + 1, 'a');
  EXPECT_NE(ErrorOf(text).find("larger than"), std::string::npos);
}

TEST(Yaml, AliasesAndMergeKeysWork) {
  const ConfigNode root =
      MustParse("base: &base {a: 1, b: 2}\nuse: {<<: *base, b: 3, c: 4}\nsame: *base\n");
  EXPECT_EQ(CanonicalText(*root.Find("use")), R"({"a":"1","b":"3","c":"4"})");
  EXPECT_EQ(CanonicalText(*root.Find("same")), R"({"a":"1","b":"2"})");
  EXPECT_NE(ErrorOf("a: {<<: 3}").find("needs a map"), std::string::npos);
  EXPECT_NE(ErrorOf("a: &x [*x]").find("alias"), std::string::npos);
}

TEST(Env, ExpandsVariablesAndDefaults) {
  const YamlOptions options = Vars({{"HOST", "db"}, {"EMPTY", ""}});
  const ConfigNode root = MustParse(
      "a: ${HOST}:80\nb: ${PORT:-9200}\nc: cost $$5 for $x$\nd: ${EMPTY:-full}\ne: '${EMPTY}'\n"
      "f: ${NONE:-${HOST}}\n",
      options);
  EXPECT_EQ(root.Find("a")->text(), "db:80");
  EXPECT_EQ(root.Find("b")->text(), "9200");
  EXPECT_EQ(root.Find("c")->text(), "cost $5 for $x$");
  EXPECT_EQ(root.Find("d")->text(), "full");
  EXPECT_EQ(root.Find("e")->text(), "");
  EXPECT_EQ(root.Find("f")->text(), "db");
}

TEST(Env, AValueNeverBecomesStructure) {
  const YamlOptions options = Vars({{"EVIL", "x\nother: [1, 2]\n"}});
  const ConfigNode root = MustParse("a: ${EVIL}\n", options);
  EXPECT_EQ(root.entries().size(), 1u);
  EXPECT_EQ(root.Find("a")->text(), "x\nother: [1, 2]\n");
}

TEST(Env, ReportsEachUnsetVariableAtItsPlace) {
  EXPECT_EQ(ErrorOf("a: ${ONE}\nb:\n  - ${TWO}\n"),
            "a.yaml:1:4: the environment variable ONE is not set; set it, or give a default: "
            "${ONE:-...}\n"
            "a.yaml:3:5: the environment variable TWO is not set; set it, or give a default: "
            "${TWO:-...}");
}

TEST(Env, RefusesReferencesThatNameNothing) {
  EXPECT_NE(ErrorOf("a: ${1}").find("names no environment variable"), std::string::npos);
  EXPECT_NE(ErrorOf("a: 'x ${HOST'").find("no closing brace"), std::string::npos);
}

TEST(Env, CanBeSwitchedOff) {
  YamlOptions options;
  options.expand_env = false;
  EXPECT_EQ(MustParse("a: ${HOST} $$\n", options).Find("a")->text(), "${HOST} $$");
}

TEST(Node, CanonicalTextIgnoresOrderOfKeysQuotesAndComments) {
  const ConfigNode a = MustParse("b: [1, '2']\na: x # why\n");
  const ConfigNode b = MustParse("{a: \"x\", b: ['1', 2]}");
  EXPECT_EQ(CanonicalText(a), CanonicalText(b));
  EXPECT_NE(CanonicalText(a), CanonicalText(MustParse("{a: x, b: [2, 1]}")));
  EXPECT_NE(CanonicalText(MustParse("a: ~")), CanonicalText(MustParse("a: 'null'")));
}

TEST(Node, PrintedYamlReadsBackAsTheSameTree) {
  const ConfigNode root = MustParse(
      "s: plain\nq: '5'\nt: 'a: b'\nl: [[1], {x: [2, 3]}, [], {}]\nm: {n: {o: p}}\n"
      "e: ''\nw: \"tab\\t\\\"q\\\" \\x01\"\ng: '*.log'\nr: '^a,b$'\nz: ~\n");
  for (const std::string& text : {PrintYaml(root), PrintYamlInline(root)}) {
    EXPECT_EQ(CanonicalText(MustParse(text)), CanonicalText(root)) << text;
  }
  const ConfigNode long_key = MustParse("a: {? " + std::string(2000, 'k') + " : {b: 1}}\n");
  for (const std::string& text : {PrintYaml(long_key), PrintYamlInline(long_key)}) {
    EXPECT_EQ(CanonicalText(MustParse(text)), CanonicalText(long_key)) << text;
  }
  EXPECT_EQ(PrintYaml(MustParse("a: {b: [1, {c: d}]}")), "a:\n  b:\n    - 1\n    - c: d\n");
}

TEST(Node, PrintsJsonWithTheTypesThatTheTextHas) {
  const ConfigNode root = MustParse("{a: 5, b: '5', c: true, d: x, e: [1.5e3, 007, ~]}");
  EXPECT_EQ(PrintJson(root),
            R"({"a": 5, "b": "5", "c": true, "d": "x", "e": [1.5e3, "007", null]})");
}

TEST(Node, WithoutLeavesKeysOut) {
  const ConfigNode root = MustParse("{type: file, a: 1}");
  const std::string_view keys[] = {"type"};
  EXPECT_EQ(CanonicalText(root.Without(keys)), R"({"a":"1"})");
}

TEST(Problems, AreSortedByPlace) {
  Problems problems;
  problems.Add({"b.yaml", 3, 1, "", "late"});
  problems.Add({"a.yaml", 1, 1, "", "other file"});
  problems.Add({"b.yaml", 2, 9, "", "early"});
  problems.Add({"", 0, 0, "", "placeless"});
  EXPECT_EQ(problems.ToString(),
            "b.yaml:2:9: early\nb.yaml:3:1: late\na.yaml:1:1: other file\nplaceless\n");
  EXPECT_EQ(problems.ToStatus().code(), Code::kInvalidArgument);
  EXPECT_TRUE(Problems().ToStatus().ok());
}

TEST(Problems, KeepABoundedNumber) {
  Problems problems;
  for (size_t i = 0; i < Problems::kProblemsMax + 5; ++i) problems.Add({"a", 1, 1, "", "x"});
  EXPECT_EQ(problems.size(), Problems::kProblemsMax + 5);
  EXPECT_NE(problems.ToString().find("and 5 more"), std::string::npos);
}

TEST(Problems, FindTheNearestName) {
  EXPECT_EQ(NearestName("includ", {"exclude", "include"}), "include");
  EXPECT_EQ(NearestName("inculde", {"exclude", "include"}), "include");
  EXPECT_EQ(NearestName("ab", {"ba"}), "ba");
  EXPECT_EQ(NearestName("colour", {"paths", "start_at"}), "");
}

}  // namespace
}  // namespace kelp::config
