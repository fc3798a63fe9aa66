// What every component gets when it is created, and the three kinds of component.
//
// A component is one folder, one class and one table (docs: CONTRIBUTING.md, "A component"):
//
//   class FileInput final : public Input {
//    public:
//     static constexpr std::string_view kName = "file";
//     using Config = FileInputConfig;
//     static const config::Schema<Config>& ConfigSchema();
//     static Result<std::unique_ptr<Input>> Create(const Config& config, const ComponentContext&);
//   };
//
// and one line in src/components.cc. Create checks what the schema cannot (a pattern that does not
// compile, say) and must not start threads or open files: `kelp config validate` calls it too.
#ifndef KELP_PIPELINE_COMPONENT_H_
#define KELP_PIPELINE_COMPONENT_H_

#include <string>

#include "base/env.h"
#include "base/memory_budget.h"
#include "base/metrics.h"

namespace kelp::net {
class HttpTransport;
}
namespace kelp::tail {
class TailService;
}

namespace kelp::pipeline {

enum class ComponentKind { kInput, kProcessor, kOutput };
const char* ComponentKindName(ComponentKind kind);  // "input", "processor", "output"

// What the agent shares with its components. Everything outlives them.
struct AgentServices {
  Env* env = nullptr;
  MetricRegistry* metrics = nullptr;
  // Directory for what a component keeps on disk; empty in `kelp config test`.
  std::string data_dir;
  // Follows files for all pipelines with one inotify instance; null where nothing is followed.
  tail::TailService* tail = nullptr;
  // Makes the network of outputs replaceable; null: each output makes its own HttpClient.
  net::HttpTransport* http = nullptr;
  // Counts what outputs hold of log data besides batches; null: nobody counts.
  MemoryBudget* memory = nullptr;
  // Names this machine and agent in resources and towards servers.
  std::string host_name;
};

struct ComponentContext {
  AgentServices services;
  std::string pipeline;   // the pipeline's name
  std::string component;  // unique within the pipeline and kind: "file", "file#2"

  Env& env() const { return *services.env; }
  // A counter that carries the labels pipeline and component.
  Counter& AddCounter(const std::string& name, const std::string& help,
                      MetricLabels more = {}) const;
  Gauge& AddGauge(const std::string& name, const std::string& help, MetricLabels more = {}) const;
  // processor_dropped_rows_total or output_dropped_rows_total by reason: rows that leave on purpose
  // or that nothing can save are always counted here.
  Counter& DropCounter(ComponentKind kind, const std::string& reason) const;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_COMPONENT_H_
