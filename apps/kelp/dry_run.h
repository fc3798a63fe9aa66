// Runs sample lines through a pipeline's real decoder and processors, without inputs, outputs,
// files or threads; and the `tests:` block of a pipeline on top of that.
//
// Tests: dry_run_test.cc
#ifndef KELP_APPS_KELP_DRY_RUN_H_
#define KELP_APPS_KELP_DRY_RUN_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "config/schema.h"
#include "pipeline/pipeline_config.h"
#include "row.h"

namespace kelp::cli {

// How lines become rows. kAuto: as the pipeline's first input reads them.
enum class SampleFormat { kAuto, kLines, kContainer, kCri, kDockerJson };
inline const std::vector<std::string> kSampleFormats = {"auto", "lines", "container", "cri",
                                                        "docker_json"};

struct Samples {
  std::string text;  // lines as they stand in a file
  SampleFormat format = SampleFormat::kAuto;
  bool is_utf8 = false;  // whatever the input's encoding is
  std::map<std::string, std::string> resource;
};

struct DryRunResult {
  std::vector<Row> rows;
  size_t rows_in = 0;  // before processors dropped any
};

// Errors: kInvalidArgument when a processor cannot be created.
Result<DryRunResult> DryRun(Env& env, const pipeline::PipelineConfig& pipeline,
                            const Samples& samples);

// A row that a test expects. What is not given is not compared.
struct ExpectedRow {
  std::optional<std::string> body;
  std::optional<std::string> time;
  config::ConfigNode fields;       // all of the row's fields
  config::ConfigNode some_fields;  // these, whatever else the row has
  config::ConfigNode resource;     // these tags
  static const config::Schema<ExpectedRow>& ConfigSchema();
};

// One entry of `tests:`.
struct TestCase {
  std::string name;
  std::vector<std::string> input;
  SampleFormat format = SampleFormat::kAuto;
  std::map<std::string, std::string> resource;
  std::vector<ExpectedRow> rows;
  static const config::Schema<TestCase>& ConfigSchema();
};

// The tests of a pipeline. What is wrong goes to `problems`.
std::vector<TestCase> ParseTests(const pipeline::PipelineConfig& pipeline,
                                 config::Problems& problems);

// What differs between expected and real rows, as indented lines with - and +; empty when nothing.
std::string Difference(const std::vector<ExpectedRow>& expected, const std::vector<Row>& rows);

// Runs one test. Empty when it passes, else what differs.
Result<std::string> RunTest(Env& env, const pipeline::PipelineConfig& pipeline,
                            const TestCase& test);

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_DRY_RUN_H_
