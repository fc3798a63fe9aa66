// JSON Schema from the table. The document is built as a ConfigNode, which prints itself as JSON.
#include <map>
#include <set>

#include "config/describe.h"

namespace kelp::config {
namespace {

// As base/units.h reads them.
constexpr const char* kSizePattern = "^(0|[0-9]+(\\.[0-9]+)? ?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB))$";
constexpr const char* kDurationPattern = "^(0|([0-9]+(\\.[0-9]+)? ?(ns|us|ms|s|m|h|d) ?)+)$";

ConfigNode Text(std::string_view text) { return ConfigNode::Scalar(std::string(text), true); }
ConfigNode Bare(std::string text) { return ConfigNode::Scalar(std::move(text), false); }

// Collects the keys of one JSON object, in order.
class Object {
 public:
  Object& Set(std::string key, ConfigNode value) {
    entries_.push_back({std::move(key), std::move(value), Place{}});
    return *this;
  }
  Object& Set(std::string key, std::string_view text) { return Set(std::move(key), Text(text)); }
  ConfigNode Done() { return ConfigNode::Map(std::move(entries_)); }

 private:
  std::vector<ConfigNode::Entry> entries_;
};

ConfigNode Texts(const std::vector<std::string>& texts) {
  std::vector<ConfigNode> items;
  for (const std::string& text : texts) items.push_back(Text(text));
  return ConfigNode::List(std::move(items));
}

// Writes schemas of objects and components once each, under $defs, and refers to them.
class Writer {
 public:
  explicit Writer(const ComponentCatalog* catalog) : catalog_(catalog) {}

  std::string Document(const SchemaBase& schema) {
    Object document;
    document.Set("$schema", "https://json-schema.org/draft/2020-12/schema");
    document.Set("title", schema.name());
    Fill(schema, nullptr, "", document);
    Object definitions;
    for (auto& [name, node] : definitions_) definitions.Set(name, node);
    if (!definitions_.empty()) document.Set("$defs", definitions.Done());
    return PrintJson(document.Done(), 2) + "\n";
  }

 private:
  // The keys of an object; `common` adds keys, and a component type adds a fixed `type`.
  void Fill(const SchemaBase& schema, const SchemaBase* common, const std::string& component_type,
            Object& out) {
    out.Set("description", schema.doc());
    if (schema.options().stability != Stability::kStable) {
      out.Set("x-kelp-stability", StabilityName(schema.options().stability));
    }
    out.Set("type", "object");
    Object properties;
    std::vector<std::string> required;
    if (!component_type.empty()) {
      properties.Set("type", Object().Set("const", component_type).Done());
      required.emplace_back("type");
    }
    AddProperties(schema, properties, required);
    if (common != nullptr) AddProperties(*common, properties, required);
    out.Set("properties", properties.Done());
    if (!required.empty()) out.Set("required", Texts(required));
    out.Set("additionalProperties", Bare("false"));
  }

  void AddProperties(const SchemaBase& schema, Object& properties,
                     std::vector<std::string>& required) {
    const ConfigNode defaults = schema.Defaults();
    for (const FieldInfo& field : schema.fields()) {
      properties.Set(field.name, Property(field, defaults.Find(field.name)));
      if (field.options.required) required.push_back(field.name);
    }
  }

  ConfigNode Property(const FieldInfo& field, const ConfigNode* fallback) {
    const FieldOptions& options = field.options;
    Object out;
    if (!options.doc.empty()) out.Set("description", options.doc);
    TypeKeys(field.type, options, out);
    const bool shows_default = fallback != nullptr && !options.required && !options.secret &&
                               field.type.kind != TypeInfo::Kind::kObject;
    if (shows_default) out.Set("default", *fallback);
    if (!options.example.empty()) {
      const Result<ConfigNode> example =
          ParseYaml(options.example, "example", YamlOptions{.expand_env = false, .env = nullptr});
      if (example.ok()) out.Set("examples", ConfigNode::List({example.value()}));
    }
    if (options.secret) out.Set("writeOnly", Bare("true"));
    if (options.stability != Stability::kStable) {
      out.Set("x-kelp-stability", StabilityName(options.stability));
    }
    return out.Done();
  }

  void TypeKeys(const TypeInfo& type, const FieldOptions& options, Object& out) {
    using Kind = TypeInfo::Kind;
    switch (type.kind) {
      case Kind::kBool:
        out.Set("type", "boolean");
        return;
      case Kind::kInteger:
        out.Set("type", "integer");
        if (type.is_unsigned && !options.min.is_set()) out.Set("minimum", Bare("0"));
        return NumberBounds(options, out);
      case Kind::kNumber:
        out.Set("type", "number");
        return NumberBounds(options, out);
      case Kind::kText:
        out.Set("type", "string");
        return;
      case Kind::kByteSize:
        out.Set("type", "string").Set("format", "byte-size").Set("pattern", kSizePattern);
        return UnitBounds(options, out);
      case Kind::kDuration:
        out.Set("type", "string").Set("format", "duration-text").Set("pattern", kDurationPattern);
        return UnitBounds(options, out);
      case Kind::kChoice:
        out.Set("type", "string").Set("enum", Texts(type.choices));
        return;
      case Kind::kCustom:
        return CustomKeys(type, out);
      case Kind::kList:
        return ListKeys(type, options, out);
      case Kind::kMap:
        out.Set("type", "object").Set("additionalProperties", TypeNode(*type.element, options));
        return;
      case Kind::kObject:
        out.Set("$ref", ObjectReference(type.object()));
        return;
      case Kind::kAny:
        if (!options.component.empty()) out.Set("$ref", ComponentReference(options.component));
        return;
    }
  }

  ConfigNode TypeNode(const TypeInfo& type, const FieldOptions& options) {
    Object out;
    TypeKeys(type, options, out);
    return out.Done();
  }

  void ListKeys(const TypeInfo& type, const FieldOptions& options, Object& out) {
    Object list;
    list.Set("type", "array").Set("items", TypeNode(*type.element, options));
    if (options.items_min > 0) list.Set("minItems", Bare(std::to_string(options.items_min)));
    if (options.items_max != FieldOptions().items_max) {
      list.Set("maxItems", Bare(std::to_string(options.items_max)));
    }
    const ConfigNode node = list.Done();
    if (options.scalar_ok) {
      out.Set("anyOf", ConfigNode::List({node, TypeNode(*type.element, options)}));
      return;
    }
    for (const ConfigNode::Entry& entry : node.entries()) out.Set(entry.key, entry.value);
  }

  static void CustomKeys(const TypeInfo& type, Object& out) {
    const std::string_view text =
        type.json_schema.empty() ? R"({"type": "string"})" : std::string_view(type.json_schema);
    const Result<ConfigNode> node =
        ParseYaml(text, type.name, YamlOptions{.expand_env = false, .env = nullptr});
    CHECK(node.ok(), "kConfigJsonSchema of " + type.name + " is not JSON");
    for (const ConfigNode::Entry& entry : node.value().entries()) out.Set(entry.key, entry.value);
    out.Set("x-kelp-type", type.name);
  }

  static void NumberBounds(const FieldOptions& options, Object& out) {
    if (options.min.is_set()) out.Set("minimum", Bare(options.min.ToString()));
    if (options.max.is_set()) out.Set("maximum", Bare(options.max.ToString()));
  }

  static void UnitBounds(const FieldOptions& options, Object& out) {
    if (options.min.is_set()) out.Set("x-kelp-minimum", options.min.ToString());
    if (options.max.is_set()) out.Set("x-kelp-maximum", options.max.ToString());
  }

  // Two schemas of one name get different definitions.
  std::string ObjectReference(const SchemaBase& schema) {
    auto found = names_.find(&schema);
    if (found == names_.end()) {
      std::string name = schema.name();
      for (int n = 2; !used_.insert(name).second; ++n) name = schema.name() + std::to_string(n);
      found = names_.emplace(&schema, name).first;
      Object definition;
      Fill(schema, nullptr, "", definition);
      definitions_[name] = definition.Done();
    }
    return "#/$defs/" + found->second;
  }

  std::string ComponentReference(const std::string& kind) {
    if (used_.insert("any_" + kind).second) {
      std::vector<ConfigNode> choices;
      if (catalog_ != nullptr) {
        for (const SchemaBase* schema : catalog_->List(kind)) {
          choices.push_back(Object().Set("$ref", AddComponent(kind, *schema)).Done());
        }
      }
      Object any;
      any.Set("description", "Any " + kind + "; `type` says which.");
      if (choices.empty()) {
        any.Set("type", "object").Set("required", Texts({"type"}));
      } else {
        any.Set("oneOf", ConfigNode::List(std::move(choices)));
      }
      definitions_["any_" + kind] = any.Done();
    }
    return "#/$defs/any_" + kind;
  }

  std::string AddComponent(const std::string& kind, const SchemaBase& schema) {
    Object definition;
    const std::string name = kind + "." + schema.name();
    definition.Set("title", schema.name());
    Fill(schema, catalog_->CommonKeys(kind), schema.name(), definition);
    definitions_[name] = definition.Done();
    return "#/$defs/" + name;
  }

  const ComponentCatalog* catalog_;
  std::map<std::string, ConfigNode> definitions_;
  std::map<const SchemaBase*, std::string> names_;
  std::set<std::string> used_;
};

}  // namespace

std::string JsonSchema(const SchemaBase& schema, const ComponentCatalog* catalog) {
  return Writer(catalog).Document(schema);
}

}  // namespace kelp::config
