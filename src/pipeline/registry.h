// Registry: which components are compiled in, by kind and name, with their schemas.
//
// src/components.cc fills it, one line per component. Everything that shows or checks component
// configuration walks it: validation, `kelp describe`, reference pages, JSON Schema, conformance
// tests.
//
// Owns:     nothing but small tables. Threads: immutable after it is filled.
#ifndef KELP_PIPELINE_REGISTRY_H_
#define KELP_PIPELINE_REGISTRY_H_

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/status.h"
#include "config/schema.h"
#include "pipeline/component.h"
#include "pipeline/input.h"
#include "pipeline/output.h"
#include "pipeline/processor.h"

namespace kelp::pipeline {

template <typename C>
concept Component = requires(const typename C::Config& config, const ComponentContext& context) {
  { C::kName } -> std::convertible_to<std::string_view>;
  { C::ConfigSchema() } -> std::same_as<const config::Schema<typename C::Config>&>;
  C::Create(config, context);
};

class Registry {
 public:
  // A component's parsed configuration, its type known to its entry only.
  using AnyConfig = std::shared_ptr<const void>;

  struct Entry {
    ComponentKind kind;
    std::string name;
    const config::SchemaBase* schema;
    std::function<AnyConfig(const config::ConfigNode&, config::Problems&, const config::Scope&)>
        parse;
    // The one for the entry's kind is set.
    std::function<Result<std::unique_ptr<Input>>(const AnyConfig&, const ComponentContext&)>
        create_input;
    std::function<Result<std::unique_ptr<Processor>>(const AnyConfig&, const ComponentContext&)>
        create_processor;
    std::function<Result<std::unique_ptr<Output>>(const AnyConfig&, const ComponentContext&)>
        create_output;
  };

  template <Component C>
  void Add() {
    Entry entry;
    entry.name = C::kName;
    entry.schema = &C::ConfigSchema();
    entry.parse = [](const config::ConfigNode& node, config::Problems& problems,
                     const config::Scope& scope) -> AnyConfig {
      return std::make_shared<const typename C::Config>(
          C::ConfigSchema().Parse(node, problems, scope));
    };
    const auto create = [](const AnyConfig& config, const ComponentContext& context) {
      return C::Create(*static_cast<const typename C::Config*>(config.get()), context);
    };
    if constexpr (std::derived_from<C, Input>) {
      entry.kind = ComponentKind::kInput;
      entry.create_input = create;
    } else if constexpr (std::derived_from<C, Processor>) {
      entry.kind = ComponentKind::kProcessor;
      entry.create_processor = create;
    } else {
      static_assert(std::derived_from<C, Output>);
      entry.kind = ComponentKind::kOutput;
      entry.create_output = create;
    }
    entries_.push_back(std::move(entry));
  }

  const std::vector<Entry>& entries() const { return entries_; }
  // nullptr when there is none.
  const Entry* Find(ComponentKind kind, std::string_view name) const;
  // The names of a kind, in the order of src/components.cc.
  std::vector<std::string_view> Names(ComponentKind kind) const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_REGISTRY_H_
