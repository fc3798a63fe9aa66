#include "pipeline/pipeline_config.h"

#include <gtest/gtest.h>

#include "pipeline/test_components.h"

namespace kelp::pipeline {
namespace {

std::string ProblemsOf(const std::string& yaml) {
  const Registry registry = TestRegistry();
  const auto node = config::ParseYaml(yaml, "p.yaml");
  if (!node.ok()) return std::string(node.status().message());
  config::Problems problems;
  const PipelineConfig pipeline = ParsePipeline(registry, *node, "", problems);
  MetricRegistry metrics;
  AgentServices services{.env = &RealEnv(), .metrics = &metrics};
  if (problems.empty()) CheckComponents(pipeline, services, problems);
  return problems.ToString();
}

TEST(PipelineConfigTest, AcceptsAWholePipeline) {
  EXPECT_EQ(ProblemsOf("name: web\n"
                       "inputs: [{type: scripted, origins: 2}]\n"
                       "processors: [{type: keep_even}]\n"
                       "outputs: [{type: hold}, {type: hold, required: false}]\n"),
            "");
}

TEST(PipelineConfigTest, ReadsDeadLetterAndSpool) {
  const Registry registry = TestRegistry();
  config::Problems problems;
  const PipelineConfig pipeline =
      ParsePipeline(registry,
                    *config::ParseYaml("name: web\n"
                                       "inputs: [{type: scripted}]\n"
                                       "outputs: [{type: hold, room: 3, spool: {size: 2MiB}}]\n"
                                       "dead_letter: {type: hold}\n",
                                       "p.yaml"),
                    "", problems);
  EXPECT_EQ(problems.ToString(), "");
  ASSERT_TRUE(pipeline.outputs[0].spool.has_value());
  EXPECT_EQ(pipeline.outputs[0].spool->size, 2_MiB);
  ASSERT_TRUE(pipeline.dead_letter.has_value());
  EXPECT_EQ(pipeline.dead_letter->id, "dead_letter");
}

TEST(PipelineConfigTest, SaysWhatIsWrongWithDeadLetterAndSpool) {
  const std::string problems = ProblemsOf(
      "name: web\n"
      "inputs: [{type: scripted}]\n"
      "outputs: [{type: hold, spool: {sizee: 2MiB}}]\n"
      "dead_letter: {type: hold, required: false}\n");
  EXPECT_NE(problems.find("p.yaml:3:"), std::string::npos) << problems;
  EXPECT_NE(problems.find("sizee"), std::string::npos) << problems;
  EXPECT_NE(problems.find("always required"), std::string::npos) << problems;
  EXPECT_NE(ProblemsOf("name: web\ninputs: [{type: scripted}]\noutputs: [{type: hold}]\n"
                       "dead_letter: {type: hodl}\n")
                .find("did you mean \"hold\"?"),
            std::string::npos);
}

TEST(PipelineConfigTest, NamesTheNearestComponent) {
  const std::string problems = ProblemsOf(
      "name: web\n"
      "inputs: [{type: scriptd}]\n"
      "outputs: [{type: hold}]\n");
  EXPECT_NE(problems.find("p.yaml:2:17: "), std::string::npos) << problems;
  EXPECT_NE(problems.find("did you mean \"scripted\"?"), std::string::npos) << problems;
}

TEST(PipelineConfigTest, RefusesAPipelineWhosePositionsNobodyHolds) {
  const std::string problems = ProblemsOf(
      "name: web\n"
      "inputs: [{type: scripted}]\n"
      "outputs: [{type: hold, required: false}]\n");
  EXPECT_NE(problems.find("at least one output must be required"), std::string::npos) << problems;
}

TEST(PipelineConfigTest, TellsSeveralProblemsAtOnce) {
  const std::string problems = ProblemsOf(
      "name: we b\n"
      "inputs: [{type: scripted, origns: 2}]\n"
      "outputs: [{type: hold, required: maybe}]\n");
  EXPECT_NE(problems.find("p.yaml:1:"), std::string::npos) << problems;
  EXPECT_NE(problems.find("p.yaml:2:"), std::string::npos) << problems;
  EXPECT_NE(problems.find("p.yaml:3:"), std::string::npos) << problems;
}

TEST(PipelineConfigTest, SaysWhatAComponentRefuses) {
  const std::string problems = ProblemsOf(
      "name: web\n"
      "inputs: [{type: scripted}]\n"
      "processors: [{type: keep_even, broken: true}]\n"
      "outputs: [{type: hold}]\n");
  EXPECT_NE(problems.find("p.yaml:3:"), std::string::npos) << problems;
  EXPECT_NE(problems.find("asked to be broken"), std::string::npos) << problems;
}

TEST(PipelineConfigTest, CommentsAndTestsDoNotChangeAPipeline) {
  const Registry registry = TestRegistry();
  const auto canonical = [&](const std::string& more) {
    config::Problems problems;
    const std::string yaml =
        "name: a\ninputs: [{type: scripted}]\noutputs: [{type: hold}]\n" + more;
    return ParsePipeline(registry, *config::ParseYaml(yaml, "p"), "", problems).meaning;
  };
  EXPECT_EQ(canonical(""), canonical("# a comment\ntests: []\n"));
  EXPECT_NE(canonical(""), canonical("processors: [{type: keep_even}]\n"));
}

}  // namespace
}  // namespace kelp::pipeline
