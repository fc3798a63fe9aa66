#include "pipeline/component.h"

namespace kelp::pipeline {

const char* ComponentKindName(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::kInput:
      return "input";
    case ComponentKind::kProcessor:
      return "processor";
    case ComponentKind::kOutput:
      return "output";
  }
  return "component";
}

namespace {
MetricLabels With(const ComponentContext& context, MetricLabels more) {
  MetricLabels labels = {{"pipeline", context.pipeline}, {"component", context.component}};
  for (auto& label : more) labels.push_back(std::move(label));
  return labels;
}
}  // namespace

Counter& ComponentContext::AddCounter(const std::string& name, const std::string& help,
                                      MetricLabels more) const {
  return services.metrics->AddCounter(name, help, With(*this, std::move(more)));
}

Gauge& ComponentContext::AddGauge(const std::string& name, const std::string& help,
                                  MetricLabels more) const {
  return services.metrics->AddGauge(name, help, With(*this, std::move(more)));
}

Counter& ComponentContext::DropCounter(ComponentKind kind, const std::string& reason) const {
  return AddCounter(std::string(ComponentKindName(kind)) + "_dropped_rows_total",
                    "Rows that left the pipeline here, by reason.", {{"reason", reason}});
}

}  // namespace kelp::pipeline
