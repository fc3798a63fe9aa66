#include "components.h"

#include "input/file/file_input.h"
#include "input/pod_logs/pod_logs_input.h"
#include "output/blackhole/blackhole_output.h"
#include "output/file/file_output.h"
#include "output/kelp/kelp_output.h"
#include "output/stdout/stdout_output.h"
#include "processor/add_fields/add_fields_processor.h"
#include "processor/filter/filter_processor.h"
#include "processor/parse_json/parse_json_processor.h"
#include "processor/parse_regex/parse_regex_processor.h"
#include "processor/timestamp/timestamp_processor.h"

namespace kelp {
namespace {

pipeline::Registry MakeRegistry() {
  pipeline::Registry registry;
  registry.Add<input::FileInput>();
  registry.Add<input::PodLogsInput>();
  registry.Add<processor::AddFieldsProcessor>();
  registry.Add<processor::FilterProcessor>();
  registry.Add<processor::ParseJsonProcessor>();
  registry.Add<processor::ParseRegexProcessor>();
  registry.Add<processor::TimestampProcessor>();
  registry.Add<output::BlackholeOutput>();
  registry.Add<output::FileOutput>();
  registry.Add<output::KelpOutput>();
  registry.Add<output::StdoutOutput>();
  return registry;
}

}  // namespace

const pipeline::Registry& Components() {
  static const pipeline::Registry registry = MakeRegistry();
  return registry;
}

}  // namespace kelp
