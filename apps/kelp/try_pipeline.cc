// `kelp config test`: what a pipeline makes of sample lines, without running it.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <iterator>

#include "agent/agent_config.h"
#include "dry_run.h"
#include "validate.h"

namespace kelp::cli {
namespace {

constexpr ByteSize kSampleBytesMax = 64_MiB;

// The pipelines of a pipeline file or an agent.yaml; those named `only`, when it is not empty.
std::vector<pipeline::PipelineConfig> LoadPipelines(const std::string& path,
                                                    const std::string& only, const Context& context,
                                                    config::Problems& problems) {
  std::vector<pipeline::PipelineConfig> pipelines;
  for (const config::ConfigFile& file : config::LoadPath(context.env.files(), path, {}, problems)) {
    std::vector<pipeline::PipelineConfig> found;
    if (KindOf(file.root) == FileKind::kPipelines) {
      found = ParsePipelineFile(context.registry, file.root, problems);
    } else if (KindOf(file.root) == FileKind::kAgent) {
      agent::ConfigLoader loader(context.env, context.registry, file.path);
      for (const auto& pipeline : loader.Load(problems).pipelines) found.push_back(*pipeline);
    }
    for (pipeline::PipelineConfig& pipeline : found) {
      if (only.empty() || pipeline.name == only) pipelines.push_back(std::move(pipeline));
    }
  }
  return pipelines;
}

Result<std::string> ReadSamples(const std::string& path, const Context& context) {
  if (path != "-") return ReadFile(context.env.files(), path, kSampleBytesMax);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

std::string RowsTable(const std::vector<Row>& rows) {
  std::vector<std::string> header = {"TIME"};
  bool body = false;
  for (const Row& row : rows) {
    for (const auto& [key, value] : row.fields) {
      if (std::find(header.begin(), header.end(), key) == header.end()) header.push_back(key);
    }
    body = body || !row.body.empty();
  }
  if (body) header.emplace_back("BODY");
  std::vector<std::vector<std::string>> cells;
  for (const Row& row : rows) {
    std::vector<std::string> line = {row.time};
    for (size_t i = 1; i < header.size(); ++i) {
      const bool is_body = body && i + 1 == header.size();
      line.emplace_back(is_body ? row.body : row.Get(header[i]));
    }
    cells.push_back(std::move(line));
  }
  return PrintTable(header, cells);
}

int ShowRows(const pipeline::PipelineConfig& pipeline, const Samples& samples,
             const std::string& format, const Context& context) {
  const Result<DryRunResult> result = DryRun(context.env, pipeline, samples);
  if (!result.ok()) return context.Fail(kExitConfig, result.status().message());
  if (format == "table") {
    context.out.Out(RowsTable(result->rows));
  } else {
    RowWriter writer(ParseRowFormat(format), {}, context.out);
    for (const Row& row : result->rows) writer.Write(row);
  }
  const size_t dropped = result->rows_in - result->rows.size();
  context.out.Err(fmt::format("{} in, {} out{}\n", result->rows_in, result->rows.size(),
                              dropped == 0 ? "" : fmt::format(", {} dropped", dropped)));
  return kExitOk;
}

int RunTests(const std::vector<pipeline::PipelineConfig>& pipelines, const Context& context) {
  config::Problems problems;
  size_t total = 0;
  size_t failed = 0;
  for (const pipeline::PipelineConfig& pipeline : pipelines) {
    const std::vector<TestCase> tests = ParseTests(pipeline, problems);
    if (!problems.empty()) continue;
    for (const TestCase& test : tests) {
      ++total;
      const Result<std::string> difference = RunTest(context.env, pipeline, test);
      if (!difference.ok()) return context.Fail(kExitConfig, difference.status().message());
      if (!difference->empty()) ++failed;
      context.out.Out(fmt::format("{} {}: {}\n{}", difference->empty() ? "ok  " : "FAIL",
                                  pipeline.name, test.name, *difference));
    }
  }
  if (!problems.empty()) {
    context.out.Err(problems.ToString());
    return kExitConfig;
  }
  if (total == 0) {
    return context.Fail(kExitUsage,
                        "no pipeline has a tests: block; give sample lines with --input");
  }
  context.out.Out(fmt::format("{} test{}, {} failed\n", total, total == 1 ? "" : "s", failed));
  return failed == 0 ? kExitOk : kExitDiffers;
}

SampleFormat ParseFormat(const std::string& name) {
  const auto found = std::find(kSampleFormats.begin(), kSampleFormats.end(), name);
  return static_cast<SampleFormat>(found - kSampleFormats.begin());
}

int RunConfigTest(const Arguments& arguments, const Context& context) {
  config::Problems problems;
  const auto pipelines =
      LoadPipelines(arguments.positional()[0], arguments.Get("pipeline"), context, problems);
  if (!problems.empty()) {
    context.out.Err(problems.ToString());
    return kExitConfig;
  }
  if (pipelines.empty()) return context.Fail(kExitUsage, "there is no such pipeline");
  if (!arguments.Has("input")) return RunTests(pipelines, context);
  if (pipelines.size() > 1) {
    std::string names;
    for (const auto& pipeline : pipelines) names += " " + pipeline.name;
    return context.Fail(kExitUsage, "say with --pipeline which one takes the lines:" + names);
  }
  Result<std::string> text = ReadSamples(arguments.Get("input"), context);
  if (!text.ok()) return context.Fail(kExitIo, text.status().message());
  Samples samples;
  samples.text = std::move(text).value();
  samples.format = ParseFormat(arguments.Get("format"));
  return ShowRows(pipelines[0], samples, arguments.Get("output"), context);
}

}  // namespace

Command ConfigTestCommand() {
  return {
      .name = "config test",
      .positional = "FILE|DIR",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "tries pipelines on sample lines",
      .doc =
          "With --input, sends lines through the pipeline's decoder and processors and shows the "
          "rows\nthat come out. Without it, runs the tests: blocks of the pipelines, shows what "
          "differs, and\nends with 1 when something does. Inputs and outputs are not started.",
      .options = {{.name = "input",
                   .letter = 'i',
                   .value = "FILE",
                   .doc = "Sample lines; - is standard input."},
                  {.name = "pipeline",
                   .letter = 'p',
                   .value = "NAME",
                   .doc = "Only this pipeline of the file."},
                  {.name = "format",
                   .value = "FORMAT",
                   .doc = "How lines become rows; auto: as the pipeline's first input does it.",
                   .fallback = "auto",
                   .choices = kSampleFormats},
                  {.name = "output",
                   .letter = 'o',
                   .value = "FORMAT",
                   .doc = "How rows are shown.",
                   .fallback = "table",
                   .choices = kRowFormats}},
      .examples = {{"kelp config test web.yaml", "the tests: block of the pipeline"},
                   {"tail -n 20 access.log | kelp config test web.yaml -i -", "real lines"}},
      .run = RunConfigTest,
  };
}

}  // namespace kelp::cli
