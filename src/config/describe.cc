#include "config/describe.h"

#include <fmt/format.h>

#include <algorithm>

namespace kelp::config {
namespace {

// Objects inside objects are shown to this depth; a schema may contain itself.
constexpr size_t kNestedShownMax = 4;

// Which part of a page an object's keys belong to: "tls." and the schemas around it.
struct Nesting {
  std::string prefix;
  std::vector<const SchemaBase*> around;

  bool Contains(const SchemaBase& schema) const {
    return around.size() >= kNestedShownMax ||
           std::find(around.begin(), around.end(), &schema) != around.end();
  }
  Nesting Inside(const std::string& key, const TypeInfo& type, const SchemaBase& schema) const {
    Nesting inner = *this;
    inner.prefix += key;
    for (const TypeInfo* t = &type; t->element; t = t->element.get()) {
      inner.prefix += t->kind == TypeInfo::Kind::kList ? "[]" : ".*";
    }
    inner.prefix += ".";
    inner.around.push_back(&schema);
    return inner;
  }
};

// The object in a field, looking through lists and maps; nullptr when there is none.
const SchemaBase* ObjectIn(const TypeInfo& type) {
  const TypeInfo* t = &type;
  while (t->element) t = t->element.get();
  return t->kind == TypeInfo::Kind::kObject ? &t->object() : nullptr;
}

const std::vector<std::string>& ChoicesIn(const TypeInfo& type) {
  const TypeInfo* t = &type;
  while (t->element) t = t->element.get();
  return t->choices;
}

// What a field's type line says: "list of duration, default [], at least 100ms".
std::vector<std::string> Facts(const SchemaBase& schema, const FieldInfo& field) {
  std::vector<std::string> facts = {field.type.name};
  const FieldOptions& options = field.options;
  if (options.required) facts.emplace_back("required");
  if (const std::string value = schema.DefaultYaml(field); !value.empty()) {
    facts.push_back("default " + value);
  }
  if (options.min.is_set()) facts.push_back("at least " + options.min.ToString());
  if (options.max.is_set()) facts.push_back("at most " + options.max.ToString());
  if (options.items_min > 0) facts.push_back(fmt::format("at least {} items", options.items_min));
  if (options.items_max != FieldOptions().items_max) {
    facts.push_back(fmt::format("at most {} items", options.items_max));
  }
  if (options.secret) facts.emplace_back("secret");
  if (options.stability != Stability::kStable) {
    facts.emplace_back(StabilityName(options.stability));
  }
  return facts;
}

void DescribeFields(const SchemaBase& schema, const Nesting& nesting, std::string& out) {
  for (const FieldInfo& field : schema.fields()) {
    out += fmt::format("  {}{}\n", nesting.prefix, field.name);
    out += fmt::format("      {}\n", fmt::join(Facts(schema, field), ", "));
    if (!field.options.doc.empty()) out += "      " + field.options.doc + "\n";
    const std::vector<std::string>& choices = ChoicesIn(field.type);
    if (!choices.empty()) out += fmt::format("      One of: {}\n", fmt::join(choices, ", "));
    if (!field.options.example.empty()) out += "      Example: " + field.options.example + "\n";
    const SchemaBase* object = ObjectIn(field.type);
    if (object != nullptr && !nesting.Contains(*object)) {
      DescribeFields(*object, nesting.Inside(field.name, field.type, *object), out);
    }
  }
}

// Text for a cell of a Markdown table.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string Code(std::string_view text) { return "`" + Cell(text) + "`"; }

std::string MeaningCell(const FieldInfo& field) {
  const FieldOptions& options = field.options;
  std::string text = Cell(options.doc);
  const auto add = [&](const std::string& sentence) {
    text += (text.empty() ? "" : " ") + sentence;
  };
  const std::vector<std::string>& choices = ChoicesIn(field.type);
  if (!choices.empty()) add(fmt::format("One of `{}`.", fmt::join(choices, "`, `")));
  if (options.min.is_set()) add("At least " + Code(options.min.ToString()) + ".");
  if (options.max.is_set()) add("At most " + Code(options.max.ToString()) + ".");
  if (options.items_min > 0) {
    add(fmt::format("At least {} item{}.", options.items_min, options.items_min == 1 ? "" : "s"));
  }
  if (options.scalar_ok) add("A single value may stand without brackets.");
  if (options.secret) add("A secret: never shown.");
  if (options.stability != Stability::kStable) {
    add(std::string("Stability: ") + StabilityName(options.stability) + ".");
  }
  if (!options.example.empty()) add("Example: " + Code(options.example) + ".");
  return text;
}

void TableRows(const SchemaBase& schema, const Nesting& nesting, std::string& out) {
  for (const FieldInfo& field : schema.fields()) {
    const std::string value = schema.DefaultYaml(field);
    const std::string fallback =
        field.options.required ? "required" : (value.empty() ? "" : Code(value));
    out += fmt::format("| {} | {} | {} | {} |\n", Code(nesting.prefix + field.name),
                       Cell(field.type.name), fallback, MeaningCell(field));
    const SchemaBase* object = ObjectIn(field.type);
    if (object != nullptr && !nesting.Contains(*object)) {
      TableRows(*object, nesting.Inside(field.name, field.type, *object), out);
    }
  }
}

ConfigNode Hidden(const ConfigNode& node) {
  const bool empty = node.is_null() || (node.is_scalar() && node.text().empty());
  return empty ? node : ConfigNode::Scalar(std::string(kSecretShown), true, node.place());
}

ConfigNode HideScalars(const ConfigNode& node) {
  if (node.is_list()) {
    std::vector<ConfigNode> items;
    for (const ConfigNode& item : node.items()) items.push_back(HideScalars(item));
    return ConfigNode::List(std::move(items), node.place());
  }
  if (node.is_map()) {
    std::vector<ConfigNode::Entry> entries = node.entries();
    for (auto& entry : entries) {
      if (entry.key != "type") entry.value = HideScalars(entry.value);
    }
    return ConfigNode::Map(std::move(entries), node.place());
  }
  return Hidden(node);
}

ConfigNode RedactedComponent(const ConfigNode& node, const std::string& kind,
                             const ComponentCatalog* catalog) {
  const ConfigNode* type = node.Find("type");
  if (catalog == nullptr || type == nullptr) return HideScalars(node);
  for (const SchemaBase* schema : catalog->List(kind)) {
    if (schema->name() != type->text()) continue;
    const SchemaBase* common = catalog->CommonKeys(kind);
    const ConfigNode redacted = Redacted(node, *schema, catalog);
    return common ? Redacted(redacted, *common, catalog) : redacted;
  }
  return HideScalars(node);
}

ConfigNode RedactedValue(const ConfigNode& node, const FieldInfo& field, const TypeInfo& type,
                         const ComponentCatalog* catalog) {
  using Kind = TypeInfo::Kind;
  if (field.options.secret) return Hidden(node);
  if (type.kind == Kind::kObject) return Redacted(node, type.object(), catalog);
  if (type.kind == Kind::kAny && !field.options.component.empty()) {
    return RedactedComponent(node, field.options.component, catalog);
  }
  if (type.kind == Kind::kList && node.is_list()) {
    std::vector<ConfigNode> items;
    for (const ConfigNode& item : node.items()) {
      items.push_back(RedactedValue(item, field, *type.element, catalog));
    }
    return ConfigNode::List(std::move(items), node.place());
  }
  if (type.kind == Kind::kMap && node.is_map()) {
    std::vector<ConfigNode::Entry> entries = node.entries();
    for (auto& entry : entries) {
      entry.value = RedactedValue(entry.value, field, *type.element, catalog);
    }
    return ConfigNode::Map(std::move(entries), node.place());
  }
  return node;
}

}  // namespace

const SchemaBase* ComponentCatalog::CommonKeys(std::string_view) const { return nullptr; }

std::string DescribeText(const SchemaBase& schema, std::string_view kind) {
  std::string out = kind.empty() ? schema.name() : fmt::format("{} {}", kind, schema.name());
  out += fmt::format(" ({})\n  {}\n", StabilityName(schema.options().stability), schema.doc());
  if (schema.options().untrusted_input) out += "  It reads bytes that anybody may have written.\n";
  out += schema.fields().empty() ? "\nIt has no keys.\n" : "\nKeys:\n";
  DescribeFields(schema, Nesting{"", {&schema}}, out);
  const std::string example = ExampleYaml(schema, kind);
  if (!example.empty()) out += "\nExample:\n";
  for (size_t start = 0; start < example.size();) {
    const size_t end = example.find('\n', start);
    out += "  " + example.substr(start, end - start) + "\n";
    start = end == std::string::npos ? example.size() : end + 1;
  }
  return out;
}

std::string ExampleYaml(const SchemaBase& schema, std::string_view kind) {
  std::string out = kind.empty() ? "" : "type: " + schema.name() + "\n";
  const std::string& own = schema.options().example;
  if (!own.empty())
    return (own.starts_with("type:") ? "" : out) + own + (own.ends_with('\n') ? "" : "\n");
  for (const FieldInfo& field : schema.fields()) {
    if (field.options.required) out += field.name + ": " + field.options.example + "\n";
  }
  return out;
}

std::string ReferenceMarkdown(const SchemaBase& schema, const ReferenceOptions& options) {
  std::string out = "# " + schema.name() + "\n\n" + schema.doc() + "\n\n";
  out += fmt::format("Stability: {}.", StabilityName(schema.options().stability));
  if (schema.options().untrusted_input) out += " It reads bytes that anybody may have written.";
  out += "\n\n";
  if (!options.prose.empty())
    out += options.prose + (options.prose.ends_with('\n') ? "\n" : "\n\n");
  const std::string example = ExampleYaml(schema, options.kind);
  if (!example.empty()) out += "## Example\n\n```yaml\n" + example + "```\n\n";
  out += "## Keys\n\n";
  if (schema.fields().empty()) return out + "None.\n";
  out += "| key | type | default | meaning |\n|---|---|---|---|\n";
  TableRows(schema, Nesting{"", {&schema}}, out);
  return out;
}

ConfigNode Redacted(const ConfigNode& node, const SchemaBase& schema,
                    const ComponentCatalog* catalog) {
  if (!node.is_map()) return node;
  std::vector<ConfigNode::Entry> entries = node.entries();
  for (auto& entry : entries) {
    const FieldInfo* field = schema.FindField(entry.key);
    if (field != nullptr) entry.value = RedactedValue(entry.value, *field, field->type, catalog);
  }
  return ConfigNode::Map(std::move(entries), node.place());
}

}  // namespace kelp::config
