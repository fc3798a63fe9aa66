#include "cli.h"

#include <gtest/gtest.h>

#include "catalog.h"
#include "config/yaml.h"
#include "test_context.h"

namespace kelp::cli {
namespace {

using testing::TempDir;
using testing::TestContext;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Command Demo() {
  Command command;
  command.name = "demo";
  command.positional = "WORD";
  command.positional_min = 1;
  command.positional_max = 2;
  command.options = {
      {.name = "output",
       .letter = 'o',
       .value = "F",
       .doc = "",
       .fallback = "a",
       .choices = {"a", "b"}},
      {.name = "follow", .letter = 'f', .doc = ""},
      {.name = "include", .value = "GLOB", .doc = ""},
  };
  return command;
}

std::string ErrorOf(const std::vector<std::string>& words) {
  const Result<Arguments> arguments = ParseArguments(Demo(), words);
  EXPECT_FALSE(arguments.ok());
  return arguments.ok() ? "" : std::string(arguments.status().message());
}

TEST(Arguments, TakeOptionsInEveryUsualForm) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"x", "-o", "b", "-f"},
                                             {"-ob", "-f", "x"},
                                             {"--output=b", "--follow", "x"},
                                             {"--output", "b", "x", "--follow"}}) {
    const Result<Arguments> arguments = ParseArguments(Demo(), words);
    ASSERT_TRUE(arguments.ok()) << arguments.status().ToString();
    EXPECT_EQ(arguments->Get("output"), "b");
    EXPECT_TRUE(arguments->Has("follow"));
    EXPECT_EQ(arguments->positional(), std::vector<std::string>{"x"});
  }
  EXPECT_EQ(ParseArguments(Demo(), {"x"})->Get("output"), "a");
  EXPECT_EQ(ParseArguments(Demo(), {"--", "-x"})->positional()[0], "-x");
  EXPECT_EQ(ParseArguments(Demo(), {"x", "--include", "1", "--include=2"})->GetAll("include"),
            (std::vector<std::string>{"1", "2"}));
}

TEST(Arguments, SayWhatIsWrong) {
  EXPECT_EQ(ErrorOf({"x", "--folow"}), "unknown option --folow; did you mean --follow?");
  EXPECT_EQ(ErrorOf({"x", "-z"}), "unknown option -z");
  EXPECT_EQ(ErrorOf({"x", "-o", "c"}), "--output takes one of a, b, not \"c\"");
  EXPECT_EQ(ErrorOf({"x", "-o"}), "--output needs a value: F");
  EXPECT_EQ(ErrorOf({"x", "--follow=1"}), "--follow takes no value");
  EXPECT_EQ(ErrorOf({}), "something is missing; usage: kelp demo WORD");
  EXPECT_EQ(ErrorOf({"a", "b", "c"}), "too many words; usage: kelp demo WORD");
}

TEST(Cli, PrintsVersionAndHelp) {
  TestContext t;
  EXPECT_EQ(t.Run({"--version"}), kExitOk);
  EXPECT_EQ(t.printer.out, "kelp 1.2.3\n");
  EXPECT_EQ(t.Run({"--help"}), kExitOk);
  EXPECT_TRUE(Contains(t.printer.out, "config validate"));
  EXPECT_EQ(t.Run({}), kExitUsage);
  for (const Command& command : Commands()) {
    std::vector<std::string> words = {"help"};
    const size_t space = command.name.find(' ');
    words.push_back(command.name.substr(0, space));
    if (space != std::string::npos) words.push_back(command.name.substr(space + 1));
    EXPECT_EQ(t.Run(words), kExitOk);
    EXPECT_TRUE(Contains(t.printer.out, "Usage: kelp " + command.name)) << t.printer.out;
    EXPECT_FALSE(command.summary.empty());
    EXPECT_FALSE(command.examples.empty()) << command.name;
  }
}

TEST(Cli, RefusesWhatItDoesNotKnow) {
  TestContext t;
  EXPECT_EQ(t.Run({"log"}), kExitUsage);
  EXPECT_TRUE(Contains(t.printer.err, "did you mean \"logs\"?")) << t.printer.err;
  EXPECT_EQ(t.Run({"config"}), kExitUsage);
  EXPECT_TRUE(Contains(t.printer.err, "config test"));
  EXPECT_EQ(t.Run({"config", "validat"}), kExitUsage);
  EXPECT_TRUE(Contains(t.printer.err, "did you mean \"config validate\"?")) << t.printer.err;
  EXPECT_EQ(t.Run({"logs", "--sinse", "1h"}), kExitUsage);
  EXPECT_TRUE(Contains(t.printer.err, "--since")) << t.printer.err;
}

TEST(Cli, CompletionNamesEveryCommandAndOption) {
  TestContext t;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_EQ(t.Run({"completion", shell}), kExitOk);
    for (const char* part : {"describe", "validate", "follow", "newest-first"}) {
      EXPECT_TRUE(Contains(t.printer.out, part)) << shell << " " << part;
    }
  }
  EXPECT_EQ(t.Run({"completion", "tcsh"}), kExitUsage);
}

TEST(Cli, TheReferencePageHasEveryCommand) {
  const std::string page = CliMarkdown();
  for (const Command& command : Commands()) {
    EXPECT_TRUE(Contains(page, "\n## kelp " + command.name + "\n"));
  }
  EXPECT_TRUE(Contains(page, "(#kelp-config-validate)"));
}

TEST(Describe, TellsComponentsAndTheirKeys) {
  TestContext t;
  EXPECT_EQ(t.Run({"describe"}), kExitOk);
  EXPECT_TRUE(Contains(t.printer.out, "split")) << t.printer.out;
  EXPECT_EQ(t.Run({"describe", "input"}), kExitOk);
  EXPECT_TRUE(Contains(t.printer.out, "Reads files.")) << t.printer.out;
  EXPECT_EQ(t.Run({"describe", "output", "blackhole"}), kExitOk);
  EXPECT_TRUE(Contains(t.printer.out, "Every output also has:\n  required\n")) << t.printer.out;
  EXPECT_EQ(t.Run({"describe", "agent"}), kExitOk);
  EXPECT_TRUE(Contains(t.printer.out, "memory_limit"));
  EXPECT_EQ(t.Run({"describe", "pipeline"}), kExitOk);
  EXPECT_EQ(t.Run({"describe", "server"}), kExitOk);
  EXPECT_EQ(t.Run({"describe", "processor", "splt"}), kExitUsage);
  EXPECT_TRUE(Contains(t.printer.err, "did you mean \"split\"?"));
  EXPECT_EQ(t.Run({"describe", "sink"}), kExitUsage);
}

TEST(Schema, IsJsonWithTheAgentsKeys) {
  TestContext t;
  EXPECT_EQ(t.Run({"schema"}), kExitOk);
  const Result<config::ConfigNode> root =
      config::ParseYaml(t.printer.out, "schema", {.expand_env = false, .env = nullptr});
  ASSERT_TRUE(root.ok()) << root.status().ToString();
  EXPECT_NE(root->Find("properties")->Find("memory_limit"), nullptr);
}

constexpr const char* kGoodPipeline =
    "name: web\ninputs: [{type: file, include: [/a]}]\nprocessors: [{type: split}]\n"
    "outputs: [{type: blackhole}]\n";

TEST(Validate, AcceptsPipelinesAndAgents) {
  TestContext t;
  const TempDir dir;
  const std::string pipeline = dir.Write("web.yaml", kGoodPipeline);
  EXPECT_EQ(t.Run({"config", "validate", pipeline}), kExitOk) << t.printer.err;
  EXPECT_EQ(t.printer.out, "good: 1 file, 1 pipeline\n");
  const TempDir other;
  const std::string agent =
      other.Write("agent.yaml", "data_dir: /tmp\npipelines_dir: " + dir.path() + "\n");
  EXPECT_EQ(t.Run({"config", "validate", agent}), kExitOk) << t.printer.err;
  EXPECT_EQ(t.printer.out, "good: 1 file, 1 pipeline\n");
}

TEST(Validate, TellsServerFromAgentByTheirKeys) {
  TestContext t;
  const TempDir dir;
  const std::string server = dir.Write("server.yaml", "data_dir: /d\nquery: {time_max: 1s}\n");
  EXPECT_EQ(t.Run({"config", "validate", server}), kExitOk) << t.printer.err;
  const std::string bad =
      dir.Write("server.yaml", "data_dir: /d\nquery: {time_max: 1}\nstor: {}\n");
  EXPECT_EQ(t.Run({"config", "validate", bad}), kExitConfig);
  EXPECT_TRUE(Contains(t.printer.err, ":2:19: \"1\" is not a duration")) << t.printer.err;
  EXPECT_TRUE(Contains(t.printer.err, "did you mean \"store\"?")) << t.printer.err;
  const std::string agent = dir.Write("agent.yaml", "data_dir: /d\nmemory_limt: 1GiB\n");
  EXPECT_EQ(t.Run({"config", "validate", agent}), kExitConfig);
  EXPECT_TRUE(Contains(t.printer.err, "did you mean \"memory_limit\"?")) << t.printer.err;
}

TEST(Validate, TellsEveryProblemAndEndsWith78) {
  TestContext t;
  const TempDir dir;
  dir.Write("a.yaml", kGoodPipeline);
  dir.Write("b.yaml", kGoodPipeline);
  dir.Write("c.yaml", "name: c\ninputs: [{type: fil}]\noutputs: [{type: blackhole}]\n");
  dir.Write("d.yaml",
            "name: d\ninputs: [{type: file, include: [/a]}]\n"
            "processors: [{type: split, separator: ab}]\noutputs: [{type: blackhole}]\n");
  dir.Write("e.yaml", std::string("tests: [{name: x, input: a, rows: [{feilds: {}}]}]\n") +
                          "name: e\ninputs: [{type: file, include: [/a]}]\n"
                          "outputs: [{type: blackhole}]\n");
  EXPECT_EQ(t.Run({"config", "validate", dir.path()}), kExitConfig);
  const std::string& err = t.printer.err;
  EXPECT_TRUE(Contains(err, "b.yaml:2:10: pipeline \"web\" is defined in")) << err;
  EXPECT_TRUE(Contains(err, "c.yaml:2:17: there is no input \"fil\"; did you mean \"file\"?"))
      << err;
  EXPECT_TRUE(Contains(err, "d.yaml:3:14: separator must be one character")) << err;
  EXPECT_TRUE(Contains(err, "e.yaml:1:37: unknown key \"feilds\"; did you mean \"fields\"?"))
      << err;
  EXPECT_TRUE(Contains(err, "kelp: 4 problems\n")) << err;
}

TEST(Validate, SaysWhenThereIsNothingToCheck) {
  TestContext t;
  const TempDir dir;
  EXPECT_EQ(t.Run({"config", "validate", dir.path()}), kExitConfig);
  EXPECT_TRUE(Contains(t.printer.err, "no *.yaml")) << t.printer.err;
  EXPECT_EQ(t.Run({"config", "validate", dir.path() + "/none"}), kExitConfig);
}

constexpr const char* kTestedPipeline = R"(
name: web
inputs: [{type: file, include: [/a]}]
processors: [{type: split, drop: noise}]
outputs: [{type: blackhole}]
tests:
  - name: a pair
    input: |
      status=200
      noise
      user=bob
    resource: {k8s.pod.name: web-1}
    rows:
      - {fields: {status: 200}, resource: {k8s.pod.name: web-1}}
      - {body: user=bob, some_fields: {user: bob}}
  - name: all dropped
    input: [noise, noise]
    rows: []
)";

TEST(ConfigTest, RunsTheTestsOfAPipeline) {
  TestContext t;
  const TempDir dir;
  EXPECT_EQ(t.Run({"config", "test", dir.Write("web.yaml", kTestedPipeline)}), kExitOk)
      << t.printer.out << t.printer.err;
  EXPECT_EQ(t.printer.out, "ok   web: a pair\nok   web: all dropped\n2 tests, 0 failed\n");
}

TEST(ConfigTest, ShowsWhatDiffersAndEndsWith1) {
  TestContext t;
  const TempDir dir;
  const std::string path = dir.Write("web.yaml", R"(
name: web
inputs: [{type: file, include: [/a]}]
processors: [{type: split}]
outputs: [{type: blackhole}]
tests:
  - name: wrong
    input: [status=500, more=1]
    rows:
      - {body: status=200, fields: {status: 200, user: bob}}
  - name: short
    input: [x]
    rows: [{body: x}, {body: y}]
)");
  EXPECT_EQ(t.Run({"config", "test", path}), kExitDiffers);
  EXPECT_TRUE(Contains(t.printer.out,
                       "FAIL web: wrong\n    row 1, body:\n      - status=200\n"
                       "      + status=500\n    row 1, fields.status:\n"
                       "      - 200\n      + 500\n    row 1, fields.user:\n"
                       "      - bob\n      + (nothing)\n"))
      << t.printer.out;
  EXPECT_TRUE(Contains(t.printer.out, "row 2 was not expected:\n      + {")) << t.printer.out;
  EXPECT_TRUE(Contains(t.printer.out, "row 2 is missing:\n      - {body: y}\n")) << t.printer.out;
  EXPECT_TRUE(Contains(t.printer.out, "2 tests, 2 failed\n"));
}

TEST(ConfigTest, ShowsRowsOfSampleLines) {
  TestContext t;
  const TempDir dir;
  const std::string pipeline = dir.Write("web.yaml", kTestedPipeline);
  const std::string samples = dir.Write("samples", "a=1\nnoise\nno end");
  EXPECT_EQ(t.Run({"config", "test", pipeline, "-i", samples}), kExitOk) << t.printer.err;
  EXPECT_EQ(t.printer.out, "TIME  a  BODY\n      1  a=1\n         no end\n");
  EXPECT_EQ(t.printer.err, "3 in, 2 out, 1 dropped\n");
  EXPECT_EQ(t.Run({"config", "test", pipeline, "-i", samples, "-o", "raw"}), kExitOk);
  EXPECT_EQ(t.printer.out, "a=1\nno end\n");
  EXPECT_EQ(t.Run({"config", "test", pipeline, "-i", samples, "-o", "json"}), kExitOk);
  EXPECT_TRUE(Contains(t.printer.out, "\"fields\":{\"a\":\"1\"}")) << t.printer.out;
}

TEST(ConfigTest, DecodesContainerFormats) {
  TestContext t;
  const TempDir dir;
  const std::string pipeline = dir.Write("web.yaml", kGoodPipeline);
  const std::string samples = dir.Write("samples", "2026-11-20T23:49:26.304280852Z stdout F a=1\n");
  EXPECT_EQ(t.Run({"config", "test", pipeline, "-i", samples, "--format", "cri", "-o", "json"}),
            kExitOk)
      << t.printer.err;
  EXPECT_TRUE(Contains(t.printer.out, "2026-11-20T23:49:26.304280852Z")) << t.printer.out;
  EXPECT_TRUE(Contains(t.printer.out, "\"body\":\"a=1\"")) << t.printer.out;
}

TEST(ConfigTest, SaysWhatItCannotDo) {
  TestContext t;
  const TempDir dir;
  const std::string pipeline = dir.Write("web.yaml", kGoodPipeline);
  EXPECT_EQ(t.Run({"config", "test", pipeline}), kExitUsage);
  EXPECT_TRUE(Contains(t.printer.err, "--input")) << t.printer.err;
  EXPECT_EQ(t.Run({"config", "test", pipeline, "-p", "other"}), kExitUsage);
  EXPECT_EQ(t.Run({"config", "test", pipeline, "-i", dir.path() + "/none"}), kExitIo);
  const std::string bad = dir.Write("bad.yaml", "name: x\n");
  EXPECT_EQ(t.Run({"config", "test", bad}), kExitConfig);
}

}  // namespace
}  // namespace kelp::cli
