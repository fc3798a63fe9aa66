#include "docgen.h"

#include <gtest/gtest.h>

#include "apps/kelp/test_context.h"

namespace kelp::docgen {
namespace {

using cli::testing::SmallRegistry;
using cli::testing::TempDir;

std::string Check(const std::string& yaml, std::string_view hint = "") {
  config::Problems problems;
  CheckYamlBlock({11, yaml}, "page.md", hint, RealEnv(), SmallRegistry(), problems);
  return problems.ToString();
}

TEST(YamlBlocks, AreFoundWithTheirLines) {
  const auto blocks =
      FindYamlBlocks("# T\n```yaml\na: 1\nb: 2\n```\n```sh\nx\n```\n```yaml\nc: 3\n```\n");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].line, 3);
  EXPECT_EQ(blocks[0].text, "a: 1\nb: 2\n");
  EXPECT_EQ(blocks[1].line, 10);
}

TEST(YamlBlocks, AreReadAsWhatTheyLookLike) {
  EXPECT_EQ(Check("data_dir: ${DIR}\nmemory_limit: 64MiB\n"), "");
  EXPECT_EQ(Check("http: {listen: '0.0.0.0:7700', handler_threads: 2}\n"), "");
  EXPECT_EQ(Check("name: a\ninputs: [{type: file, include: [/a]}]\noutputs: [{type: blackhole}]\n"),
            "");
  EXPECT_EQ(Check("type: split\nseparator: x\n"), "");
  EXPECT_EQ(Check("- {type: split}\n- {type: blackhole, required: false}\n"), "");
  EXPECT_EQ(Check("tests: [{name: x, input: y, rows: []}]"), "");
}

TEST(YamlBlocks, TellProblemsAtTheLineOfThePage) {
  EXPECT_EQ(Check("type: split\nseperator: x\n"),
            "page.md:12:1: unknown key \"seperator\"; did you mean \"separator\"?\n");
  EXPECT_EQ(Check("type: split\n", "input"), "page.md:11:1: there is no component \"split\"\n");
  EXPECT_NE(Check("name: a\ninputs: [{type: file, include: [/a]}]\noutputs: [{type: blackhole}]\n"
                  "tests: [{name: x, input: y, rows: [{body: z}]}]\n")
                .find("page.md:14:8: x:     row 1, body:\n"),
            std::string::npos);
  EXPECT_NE(Check("data_dirs: x\n"), "");
  EXPECT_NE(Check("a: [\n"), "");
  EXPECT_NE(Check("name: a\ninputs: [{type: file, include: [/a]}]\n"
                  "processors: [{type: split, separator: ab}]\noutputs: [{type: blackhole}]\n"),
            "");
}

class PagesTest : public testing::Test {
 protected:
  void WriteProse() {
    FileSystem& files = RealEnv().files();
    for (const char* dir :
         {"src/input/file", "src/processor/split", "src/output/blackhole", "tools/docgen/prose"}) {
      ASSERT_TRUE(files.MakeDirs(JoinPath(dir_.path(), dir)).ok());
    }
    dir_.Write("src/input/file/file_input.md", "# file\n\n## When to use it\nFor files.\n");
    dir_.Write("src/processor/split/split.md", "For pairs.\n");
    dir_.Write("src/output/blackhole/blackhole_output.md", "For nothing.\n");
    for (const char* name : {"agent", "server", "pipeline"}) {
      dir_.Write(std::string("tools/docgen/prose/") + name + ".md", "Prose.\n");
    }
  }
  const TempDir dir_;
};

TEST_F(PagesTest, JoinProseAndTable) {
  WriteProse();
  const Result<Pages> pages = MakePages(RealEnv().files(), dir_.path(), SmallRegistry());
  ASSERT_TRUE(pages.ok()) << pages.status().ToString();
  const std::string& page = pages->at("input/file.md");
  EXPECT_NE(page.find("# file\n\nReads files.\n"), std::string::npos) << page;
  EXPECT_NE(page.find("## When to use it\nFor files.\n"), std::string::npos) << page;
  EXPECT_EQ(page.find("# file", page.find("# file") + 1), std::string::npos) << page;
  EXPECT_NE(pages->at("output/blackhole.md").find("| `required` | bool | `true` |"),
            std::string::npos);
  EXPECT_NE(pages->at("README.md").find("(processor/split.md)"), std::string::npos);
  EXPECT_NE(pages->at("pipeline.md").find("| `input` |"), std::string::npos);
  EXPECT_NE(pages->at("cli.md").find("## kelp logs"), std::string::npos);
}

TEST_F(PagesTest, AreComparedAndWritten) {
  WriteProse();
  FileSystem& files = RealEnv().files();
  const Pages pages = MakePages(files, dir_.path(), SmallRegistry()).value();
  const std::string reference = JoinPath(dir_.path(), "docs/reference");
  EXPECT_EQ(ComparePages(files, reference, pages)->size(), pages.size());
  ASSERT_TRUE(WritePages(files, reference, pages).ok());
  EXPECT_TRUE(ComparePages(files, reference, pages)->empty());
  dir_.Write("docs/reference/agent.md", "old");
  dir_.Write("docs/reference/gone.md", "old");
  EXPECT_EQ(ComparePages(files, reference, pages).value(),
            (std::vector<std::string>{"agent.md is not current", "gone.md belongs to nothing"}));
  ASSERT_TRUE(WritePages(files, reference, pages).ok());
  EXPECT_TRUE(ComparePages(files, reference, pages)->empty());
}

TEST_F(PagesTest, AComponentWithoutProseIsNamed) {
  const Result<Pages> pages = MakePages(RealEnv().files(), dir_.path(), SmallRegistry());
  EXPECT_NE(pages.status().message().find("src/input/file/file_input.md"), std::string::npos);
}

}  // namespace
}  // namespace kelp::docgen
