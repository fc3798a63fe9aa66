#include "config/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace kelp::config {

const char* StabilityName(Stability stability) {
  switch (stability) {
    case Stability::kStable:
      return "stable";
    case Stability::kBeta:
      return "beta";
    case Stability::kExperimental:
      return "experimental";
  }
  return "stable";
}

std::string Limit::ToString() const {
  switch (kind_) {
    case Kind::kNone:
      return "";
    case Kind::kInteger:
      return std::to_string(integer_);
    case Kind::kNumber:
      return fmt::format("{}", number_);
    case Kind::kDuration:
      return FormatDuration(Duration(integer_));
    case Kind::kByteSize:
      return FormatByteSize(ByteSize{static_cast<uint64_t>(integer_)});
  }
  return "";
}

std::string Spot::Shown(const ConfigNode& node) const {
  return field.options.secret ? "the value" : node.Describe();
}

void CheckContext::Fail(std::string_view key, std::string message) {
  const ConfigNode* node = node_.Find(key);
  const ConfigNode& at = node && !node->is_null() ? *node : node_;
  std::string path = path_;
  if (!key.empty()) path += (path.empty() ? "" : ".") + std::string(key);
  problems_.Add(at, std::move(path), std::move(message));
}

bool CheckContext::Has(std::string_view key) const {
  const ConfigNode* node = node_.Find(key);
  return node && !node->is_null();
}

const FieldInfo* SchemaBase::FindField(std::string_view name) const {
  for (const FieldInfo& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string SchemaBase::DefaultYaml(const FieldInfo& field) const {
  if (field.options.required || field.type.kind == TypeInfo::Kind::kObject) return "";
  const ConfigNode defaults = Defaults();
  const ConfigNode* value = defaults.Find(field.name);
  if (value == nullptr || value->is_null()) return "";
  return field.options.secret && !value->text().empty() ? "***" : PrintYamlInline(*value);
}

namespace {

// The kind of bound that fits a type, looking through lists and maps to their elements.
Limit::Kind FittingLimit(const TypeInfo& type) {
  switch (type.kind) {
    case TypeInfo::Kind::kInteger:
      return Limit::Kind::kInteger;
    case TypeInfo::Kind::kNumber:
      return Limit::Kind::kNumber;
    case TypeInfo::Kind::kDuration:
      return Limit::Kind::kDuration;
    case TypeInfo::Kind::kByteSize:
      return Limit::Kind::kByteSize;
    case TypeInfo::Kind::kList:
    case TypeInfo::Kind::kMap:
      return FittingLimit(*type.element);
    default:
      return Limit::Kind::kNone;
  }
}

bool Fits(const Limit& limit, const TypeInfo& type) {
  const Limit::Kind fitting = FittingLimit(type);
  return !limit.is_set() || limit.kind() == fitting ||
         (limit.kind() == Limit::Kind::kInteger && fitting == Limit::Kind::kNumber);
}

std::string ChildPath(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

}  // namespace

void SchemaBase::AddField(FieldInfo info, std::shared_ptr<const Binding> binding) {
  CHECK(FindField(info.name) == nullptr, "the field " + info.name + " is bound twice");
  CHECK(Fits(info.options.min, info.type) && Fits(info.options.max, info.type),
        "a limit of the field " + info.name + " is not of the field's kind");
  fields_.push_back(std::move(info));
  bindings_.push_back(std::move(binding));
}

void SchemaBase::ReportUnknownKeys(const ConfigNode& node, const Scope& scope,
                                   Problems& problems) const {
  std::vector<std::string_view> names(scope.known_keys);
  for (const FieldInfo& field : fields_) names.push_back(field.name);
  for (const ConfigNode::Entry& entry : node.entries()) {
    if (std::find(names.begin(), names.end(), entry.key) != names.end()) continue;
    std::string message = "unknown key \"" + entry.key + "\"";
    const std::string_view nearest = NearestName(entry.key, names);
    if (!nearest.empty()) {
      message += "; did you mean \"" + std::string(nearest) + "\"?";
    } else if (names.empty()) {
      message += "; no keys are known here";
    } else {
      message += "; known keys are " + fmt::format("{}", fmt::join(names, ", "));
    }
    problems.Add(entry.place, ChildPath(scope.path, entry.key), std::move(message));
  }
}

void SchemaBase::ParseObject(const ConfigNode& node, const Scope& scope, void* object,
                             Problems& problems) const {
  if (!node.is_map() && !node.is_null()) {
    problems.Add(node, scope.path, "expected a map of keys and values, found " + node.Describe());
    return;
  }
  const size_t before = problems.size();
  ReportUnknownKeys(node, scope, problems);
  for (size_t i = 0; i < fields_.size(); ++i) {
    const FieldInfo& field = fields_[i];
    const std::string path = ChildPath(scope.path, field.name);
    const ConfigNode* value = node.Find(field.name);
    if (value != nullptr && !value->is_null()) {
      bindings_[i]->Parse(*value, Spot{field, path, problems}, object);
    } else if (field.options.required) {
      std::string message = "missing required key \"" + field.name + "\"";
      if (!field.options.example.empty()) {
        message += ", such as " + field.name + ": " + field.options.example;
      }
      problems.Add(value ? *value : node, path, std::move(message));
    }
  }
  if (problems.size() != before) return;
  CheckContext context(node, scope.path, problems);
  for (const CheckFunction& check : checks_) check(object, context);
}

ConfigNode SchemaBase::PrintObject(const void* object) const {
  std::vector<ConfigNode::Entry> entries;
  for (size_t i = 0; i < fields_.size(); ++i) {
    ConfigNode value = bindings_[i]->Print(object);
    if (!value.is_null()) entries.push_back({fields_[i].name, std::move(value), Place{}});
  }
  return ConfigNode::Map(std::move(entries));
}

namespace internal {
namespace {

void FailType(const ConfigNode& node, const Spot& spot, const TypeInfo& type) {
  if (node.is_scalar() && !node.text().empty()) {
    spot.Fail(node, spot.Shown(node) + " is not " + type.phrase);
  } else {
    spot.Fail(node, "expected " + type.phrase + ", found " +
                        (node.is_scalar() ? "an empty text" : node.Describe()));
  }
}

// The type a problem is about: the element's, when the field is a list or a map.
const TypeInfo& ElementType(const TypeInfo& type) {
  const TypeInfo* t = &type;
  while (t->element) t = t->element.get();
  return *t;
}

void FailElement(const ConfigNode& node, const Spot& spot) {
  FailType(node, spot, ElementType(spot.field.type));
}

// Compares with the field's bounds; `value` and they are of the same kind.
template <class V>
bool InRange(const ConfigNode& node, const Spot& spot, V value, V low, V high) {
  const FieldOptions& options = spot.field.options;
  if (options.min.is_set() && value < low) {
    spot.Fail(node, spot.Shown(node) + " is below the minimum, " + options.min.ToString());
    return false;
  }
  if (options.max.is_set() && value > high) {
    spot.Fail(node, spot.Shown(node) + " is above the maximum, " + options.max.ToString());
    return false;
  }
  return true;
}

template <class N>
std::optional<N> FromText(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Adds what an operator most often forgets.
std::string UnitHint(const ConfigNode& node, std::string_view example_unit) {
  if (!FromText<double>(node.text())) return "";
  return fmt::format("; the unit is missing, write {}{}", node.text(), example_unit);
}

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace

bool ExpectScalar(const ConfigNode& node, const Spot& spot) {
  if (node.is_scalar()) return true;
  FailElement(node, spot);
  return false;
}

bool ExpectMap(const ConfigNode& node, const Spot& spot) {
  if (node.is_map()) return true;
  spot.Fail(node, "expected a map of keys and values, found " + spot.Shown(node));
  return false;
}

std::optional<std::vector<ConfigNode>> ListItems(const ConfigNode& node, const Spot& spot) {
  if (node.is_list()) return node.items();
  if (node.is_scalar() && spot.field.options.scalar_ok) return std::vector<ConfigNode>{node};
  std::string message = "expected a list, found " + spot.Shown(node);
  if (node.is_scalar())
    message += "; write [" + (spot.field.options.secret ? "..." : node.text()) + "]";
  spot.Fail(node, std::move(message));
  return std::nullopt;
}

void CheckItemCount(const ConfigNode& node, const Spot& spot, size_t count) {
  const FieldOptions& options = spot.field.options;
  if (count < options.items_min) {
    spot.Fail(node, fmt::format("needs at least {} item{}, has {}", options.items_min,
                                options.items_min == 1 ? "" : "s", count));
  }
  if (count > options.items_max) {
    spot.Fail(node, fmt::format("may have at most {} items, has {}", options.items_max, count));
  }
}

std::optional<bool> ParseBool(const ConfigNode& node, const Spot& spot) {
  if (node.is_scalar()) {
    if (IsOneOf(node.text(), {"true", "True", "TRUE"})) return true;
    if (IsOneOf(node.text(), {"false", "False", "FALSE"})) return false;
  }
  FailElement(node, spot);
  return std::nullopt;
}

std::optional<int64_t> ParseSigned(const ConfigNode& node, const Spot& spot, int64_t lowest,
                                   int64_t highest) {
  const auto value = node.is_scalar() ? FromText<int64_t>(node.text()) : std::nullopt;
  if (!value) {
    FailElement(node, spot);
    return std::nullopt;
  }
  const FieldOptions& options = spot.field.options;
  if (!InRange(node, spot, *value, options.min.integer(), options.max.integer())) {
    return std::nullopt;
  }
  if (*value < lowest || *value > highest) {
    spot.Fail(node, fmt::format("{} is not between {} and {}", spot.Shown(node), lowest, highest));
    return std::nullopt;
  }
  return value;
}

std::optional<uint64_t> ParseUnsigned(const ConfigNode& node, const Spot& spot, uint64_t highest) {
  const auto value = node.is_scalar() ? FromText<uint64_t>(node.text()) : std::nullopt;
  if (!value) {
    FailElement(node, spot);
    return std::nullopt;
  }
  const FieldOptions& options = spot.field.options;
  if (!InRange(node, spot, *value,
               static_cast<uint64_t>(std::max<int64_t>(0, options.min.integer())),
               static_cast<uint64_t>(std::max<int64_t>(0, options.max.integer())))) {
    return std::nullopt;
  }
  if (*value > highest) {
    spot.Fail(node, fmt::format("{} is above {}", spot.Shown(node), highest));
    return std::nullopt;
  }
  return value;
}

std::optional<double> ParseNumber(const ConfigNode& node, const Spot& spot) {
  const auto value = node.is_scalar() ? FromText<double>(node.text()) : std::nullopt;
  if (!value || !std::isfinite(*value)) {
    FailElement(node, spot);
    return std::nullopt;
  }
  const FieldOptions& options = spot.field.options;
  if (!InRange(node, spot, *value, options.min.number(), options.max.number())) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> ParseString(const ConfigNode& node, const Spot& spot) {
  const std::vector<std::string>& choices = spot.field.options.choices;
  if (!choices.empty()) {
    const auto index = ParseChoice(node, spot, choices);
    return index ? std::optional<std::string>(choices[*index]) : std::nullopt;
  }
  if (!ExpectScalar(node, spot)) return std::nullopt;
  return node.text();
}

std::optional<ByteSize> ParseSize(const ConfigNode& node, const Spot& spot) {
  if (!ExpectScalar(node, spot)) return std::nullopt;
  const Result<ByteSize> value = ParseByteSize(node.text());
  if (!value.ok()) {
    spot.Fail(node,
              spot.Shown(node) + " is not a size such as 64KiB or 10MB" + UnitHint(node, "MiB"));
    return std::nullopt;
  }
  const FieldOptions& options = spot.field.options;
  if (!InRange(node, spot, value.value().bytes, static_cast<uint64_t>(options.min.integer()),
               static_cast<uint64_t>(options.max.integer()))) {
    return std::nullopt;
  }
  return value.value();
}

std::optional<Duration> ParseSpan(const ConfigNode& node, const Spot& spot) {
  if (!ExpectScalar(node, spot)) return std::nullopt;
  const Result<Duration> value = ParseDuration(node.text());
  if (!value.ok()) {
    spot.Fail(node,
              spot.Shown(node) + " is not a duration such as 5s or 1h30m" + UnitHint(node, "s"));
    return std::nullopt;
  }
  const FieldOptions& options = spot.field.options;
  if (!InRange<int64_t>(node, spot, value.value().count(), options.min.integer(),
                        options.max.integer())) {
    return std::nullopt;
  }
  return value.value();
}

std::optional<size_t> ParseChoice(const ConfigNode& node, const Spot& spot,
                                  const std::vector<std::string>& choices) {
  if (node.is_scalar()) {
    const auto found = std::find(choices.begin(), choices.end(), node.text());
    if (found != choices.end()) return static_cast<size_t>(found - choices.begin());
  }
  std::string message =
      node.is_scalar() ? spot.Shown(node) + " is not one of " : "expected one of ";
  message += fmt::format("{}", fmt::join(choices, ", "));
  if (!node.is_scalar()) message += ", found " + node.Describe();
  if (node.is_scalar()) {
    const std::string_view nearest =
        NearestName(node.text(), std::vector<std::string_view>(choices.begin(), choices.end()));
    if (!nearest.empty()) message += "; did you mean \"" + std::string(nearest) + "\"?";
  }
  spot.Fail(node, std::move(message));
  return std::nullopt;
}

void FailCustom(const ConfigNode& node, const Spot& spot, const Status& status) {
  if (spot.field.options.secret) {
    FailElement(node, spot);
  } else {
    spot.Fail(node, std::string(status.message()));
  }
}

ConfigNode NumberNode(double value) { return ConfigNode::Scalar(fmt::format("{}", value)); }

TypeInfo ScalarType(TypeInfo::Kind kind) {
  using Kind = TypeInfo::Kind;
  TypeInfo type;
  type.kind = kind;
  const auto set = [&](const char* name, const char* phrase) {
    type.name = name;
    type.phrase = phrase;
  };
  switch (kind) {
    case Kind::kBool:
      set("bool", "true or false");
      break;
    case Kind::kInteger:
      set("integer", "an integer such as 8");
      break;
    case Kind::kNumber:
      set("number", "a number such as 0.5");
      break;
    case Kind::kByteSize:
      set("size", "a size such as 64KiB or 10MB");
      break;
    case Kind::kDuration:
      set("duration", "a duration such as 5s or 1h30m");
      break;
    case Kind::kAny:
      set("any", "a value");
      break;
    default:
      set("string", "text");
  }
  return type;
}

TypeInfo ChoiceType(std::vector<std::string> choices) {
  TypeInfo type;
  type.kind = TypeInfo::Kind::kChoice;
  type.name = "choice";
  type.phrase = "one of " + fmt::format("{}", fmt::join(choices, ", "));
  type.choices = std::move(choices);
  return type;
}

TypeInfo ListType(TypeInfo element) {
  TypeInfo type;
  type.kind = TypeInfo::Kind::kList;
  type.name = "list of " + element.name;
  type.phrase = "a list";
  type.element = std::make_shared<const TypeInfo>(std::move(element));
  return type;
}

TypeInfo MapType(TypeInfo element) {
  TypeInfo type;
  type.kind = TypeInfo::Kind::kMap;
  type.name = "map of " + element.name;
  type.phrase = "a map of keys and values";
  type.element = std::make_shared<const TypeInfo>(std::move(element));
  return type;
}

TypeInfo AnyType(const FieldOptions& options) {
  if (options.shape != nullptr) return ObjectType(options.shape);
  TypeInfo type = ScalarType(TypeInfo::Kind::kAny);
  if (!options.component.empty()) type.name = options.component;
  return type;
}

TypeInfo ObjectType(const SchemaBase& (*object)()) {
  TypeInfo type;
  type.kind = TypeInfo::Kind::kObject;
  type.name = "object";
  type.phrase = "a map of keys and values";
  type.object = object;
  return type;
}

}  // namespace internal
}  // namespace kelp::config
