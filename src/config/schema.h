// Schema<T>: one table that binds the fields of a plain struct to configuration keys.
//
// The struct's initialisers are the defaults. From the table come the parser with its messages, the
// text of `kelp describe`, the reference page and the JSON Schema (describe.h); nothing about a
// field is written twice.
//
//   struct FileInputConfig {
//     std::vector<Glob> include;
//     Duration scan_interval = 1s;
//     static const config::Schema<FileInputConfig>& ConfigSchema();
//   };
//   const config::Schema<FileInputConfig>& FileInputConfig::ConfigSchema() {
//     static const auto schema =
//         config::Schema<FileInputConfig>("file", "Reads lines from files on the node.")
//             .Field("include", &FileInputConfig::include,
//                    {.doc = "Paths to read.", .required = true, .example = "[/var/log/*.log]"})
//             .Field("scan_interval", &FileInputConfig::scan_interval,
//                    {.doc = "Pause between two directory scans.", .min = 100ms});
//     return schema;
//   }
//
//   config::Problems problems;
//   FileInputConfig c = FileInputConfig::ConfigSchema().Parse(node, problems);
//   RETURN_IF_ERROR(problems.ToStatus());
//
// What a field can be:
//   bool, integers, double, std::string, ByteSize, Duration
//   std::vector<F>, std::map<std::string, F>, std::optional<F>
//   an enum           named by EnumNames<E>, or by .choices in the order of its values from 0
//   a nested struct   with `static const Schema<S>& ConfigSchema()`, or a SchemaOf<S>
//   a type of its own with `static Result<F> Parse(std::string_view)` for scalars, or with
//                     `static std::optional<F> FromConfig(const ConfigNode&, const std::string&
//                     key_path, Problems&)` for any shape. To be printed it has `std::string
//                     ToString() const` or `ConfigNode ToConfig() const`; to be documented
//                     `static constexpr std::string_view kConfigType` ("glob") and, where it is no
//                     string, `kConfigJsonSchema`.
//   ConfigNode        a raw subtree, read later (see .component and .shape)
#ifndef KELP_CONFIG_SCHEMA_H_
#define KELP_CONFIG_SCHEMA_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "config/node.h"
#include "config/problems.h"
#include "config/yaml.h"

namespace kelp::config {

class SchemaBase;
template <class T>
class Schema;

// What users may rely on. kStable: changes only with a deprecation period. kBeta: may change with a
// note in the changelog. kExperimental: may change or go at any time.
enum class Stability : uint8_t { kStable, kBeta, kExperimental };
const char* StabilityName(Stability stability);

// The lower or upper bound of a field: a number, a Duration or a ByteSize, as the field's type is.
class Limit {
 public:
  enum class Kind : uint8_t { kNone, kInteger, kNumber, kDuration, kByteSize };

  Limit() = default;
  template <std::integral I>
  Limit(I value)  // NOLINT(google-explicit-constructor)
      : kind_(Kind::kInteger), integer_(static_cast<int64_t>(value)) {}
  Limit(double value) : kind_(Kind::kNumber), number_(value) {}  // NOLINT
  template <class R, class P>
  Limit(std::chrono::duration<R, P> value)  // NOLINT(google-explicit-constructor)
      : kind_(Kind::kDuration), integer_(Duration(value).count()) {}
  Limit(ByteSize value)  // NOLINT(google-explicit-constructor)
      : kind_(Kind::kByteSize), integer_(static_cast<int64_t>(value.bytes)) {}

  Kind kind() const { return kind_; }
  bool is_set() const { return kind_ != Kind::kNone; }
  int64_t integer() const { return integer_; }
  // The bound of a number; an integer is a good bound of a number.
  double number() const { return kind_ == Kind::kNumber ? number_ : static_cast<double>(integer_); }
  // As it is written in a configuration: "100ms", "64KiB", "3".
  std::string ToString() const;

 private:
  Kind kind_ = Kind::kNone;
  int64_t integer_ = 0;
  double number_ = 0;
};

// What a table says about one field besides its name and type. Bounds and choices of a list, a map
// or an optional are those of its elements.
struct FieldOptions {
  std::string doc = {};
  bool required = false;
  std::string example = {};  // YAML of the value
  Limit min = {};
  Limit max = {};
  size_t items_min = 0;  // for lists and maps
  size_t items_max = std::numeric_limits<size_t>::max();
  std::vector<std::string> choices = {};  // for strings and enums
  bool secret = false;                    // never printed, nor quoted in messages
  bool scalar_ok = false;                 // for lists: one value may stand without brackets
  std::string component = {};  // for ConfigNode: "input", "processor" or "output" (with `type`)
  // For ConfigNode: the schema that whoever reads the subtree will use; for pages and redaction.
  // Give ShapeOf<S>.
  const SchemaBase& (*shape)() = nullptr;
  Stability stability = Stability::kStable;
};

// What a field can hold, for messages, pages and JSON Schema.
struct TypeInfo {
  enum class Kind : uint8_t {
    kBool,
    kInteger,
    kNumber,
    kText,
    kByteSize,
    kDuration,
    kChoice,
    kCustom,
    kList,
    kMap,
    kObject,
    kAny
  };
  Kind kind = Kind::kText;
  std::string name;    // "duration", "list of glob"
  std::string phrase;  // "a duration such as 5s or 1h30m"
  bool optional = false;
  bool is_unsigned = false;                           // kInteger
  std::vector<std::string> choices = {};              // kChoice
  std::shared_ptr<const TypeInfo> element = nullptr;  // kList, kMap
  const SchemaBase& (*object)() =
      nullptr;                   // kObject; a function, since schemas may refer to themselves
  std::string json_schema = {};  // kCustom; empty: a string
};

struct FieldInfo {
  std::string name;
  FieldOptions options;
  TypeInfo type;
};

// Where a value is being parsed: its field, its path, and who hears of problems.
struct Spot {
  const FieldInfo& field;
  const std::string& path;
  Problems& problems;

  void Fail(const ConfigNode& node, std::string message) const {
    problems.Add(node, path, std::move(message));
  }
  // The value in quotes, or "the value" when it is a secret.
  std::string Shown(const ConfigNode& node) const;
};

// Lets a check that looks at several fields name the one at fault.
class CheckContext {
 public:
  CheckContext(const ConfigNode& node, const std::string& path, Problems& problems)
      : node_(node), path_(path), problems_(problems) {}
  // A problem at `key`, or at the whole object when the key is not there or empty.
  void Fail(std::string_view key, std::string message);
  // True when the configuration has the key and gives it a value.
  bool Has(std::string_view key) const;

 private:
  const ConfigNode& node_;
  const std::string& path_;
  Problems& problems_;
};

// Where an object stands in the whole configuration, and which of its keys are none of the
// schema's business (a component's "type", which whoever chose the schema has read).
struct Scope {
  std::string path = {};
  std::vector<std::string_view> known_keys = {};
};

struct SchemaOptions {
  Stability stability = Stability::kStable;
  bool untrusted_input = false;  // the component reads bytes that anybody may send
  std::string example = {};      // YAML of the whole object
};

// A schema without its struct's type: what registries hold and pages are made from.
//
// Threads:  immutable once its table is complete.
// Tests:    schema_test.cc
class SchemaBase {
 public:
  virtual ~SchemaBase() = default;

  const std::string& name() const { return name_; }
  const std::string& doc() const { return doc_; }
  const SchemaOptions& options() const { return options_; }
  const std::vector<FieldInfo>& fields() const { return fields_; }
  const FieldInfo* FindField(std::string_view name) const;
  // A default-made struct as configuration; keys without a default are left out.
  virtual ConfigNode Defaults() const = 0;
  // The default of a field as YAML on one line; empty when it has none.
  std::string DefaultYaml(const FieldInfo& field) const;
  // Parses and forgets the value: only the problems matter.
  virtual void Validate(const ConfigNode& node, Problems& problems,
                        const Scope& scope = {}) const = 0;

 protected:
  // Moves one field between configuration and struct; `object` points to the struct.
  class Binding {
   public:
    virtual ~Binding() = default;
    virtual void Parse(const ConfigNode& node, const Spot& spot, void* object) const = 0;
    virtual ConfigNode Print(const void* object) const = 0;
  };
  using CheckFunction = std::function<void(const void* object, CheckContext& context)>;

  SchemaBase(std::string name, std::string doc, SchemaOptions options)
      : name_(std::move(name)), doc_(std::move(doc)), options_(std::move(options)) {}
  void AddField(FieldInfo info, std::shared_ptr<const Binding> binding);
  void AddCheck(CheckFunction check) { checks_.push_back(std::move(check)); }
  void ParseObject(const ConfigNode& node, const Scope& scope, void* object,
                   Problems& problems) const;
  ConfigNode PrintObject(const void* object) const;

 private:
  void ReportUnknownKeys(const ConfigNode& node, const Scope& scope, Problems& problems) const;

  std::string name_;
  std::string doc_;
  SchemaOptions options_;
  std::vector<FieldInfo> fields_;
  std::vector<std::shared_ptr<const Binding>> bindings_;  // one per field
  std::vector<CheckFunction> checks_;
};

// Names of an enum's values from 0 on:
//   template <> struct EnumNames<Color> {
//     static constexpr std::string_view kNames[] = {"red", "green"};
//   };
template <class E>
struct EnumNames {};

// For structs that cannot have a ConfigSchema() of their own:
//   template <> struct SchemaOf<S> { static const Schema<S>& Get(); };
template <class S>
struct SchemaOf {};

namespace internal {

// The part of parsing that does not depend on the field's C++ type. Each reports its problem and
// returns nothing when the node does not fit.
std::optional<bool> ParseBool(const ConfigNode& node, const Spot& spot);
std::optional<int64_t> ParseSigned(const ConfigNode& node, const Spot& spot, int64_t lowest,
                                   int64_t highest);
std::optional<uint64_t> ParseUnsigned(const ConfigNode& node, const Spot& spot, uint64_t highest);
std::optional<double> ParseNumber(const ConfigNode& node, const Spot& spot);
std::optional<std::string> ParseString(const ConfigNode& node, const Spot& spot);
std::optional<ByteSize> ParseSize(const ConfigNode& node, const Spot& spot);
std::optional<Duration> ParseSpan(const ConfigNode& node, const Spot& spot);
// The index into `choices`.
std::optional<size_t> ParseChoice(const ConfigNode& node, const Spot& spot,
                                  const std::vector<std::string>& choices);
bool ExpectScalar(const ConfigNode& node, const Spot& spot);
bool ExpectMap(const ConfigNode& node, const Spot& spot);
// The items of a list; with .scalar_ok the node itself.
std::optional<std::vector<ConfigNode>> ListItems(const ConfigNode& node, const Spot& spot);
void CheckItemCount(const ConfigNode& node, const Spot& spot, size_t count);
void FailCustom(const ConfigNode& node, const Spot& spot, const Status& status);
ConfigNode NumberNode(double value);

TypeInfo ScalarType(TypeInfo::Kind kind);
TypeInfo ChoiceType(std::vector<std::string> choices);
TypeInfo ListType(TypeInfo element);
TypeInfo MapType(TypeInfo element);
TypeInfo AnyType(const FieldOptions& options);
TypeInfo ObjectType(const SchemaBase& (*object)());

template <class F>
concept HasMemberSchema = requires {
  { F::ConfigSchema() } -> std::convertible_to<const SchemaBase&>;
};
template <class F>
concept HasSchemaOf = requires {
  { SchemaOf<F>::Get() } -> std::convertible_to<const SchemaBase&>;
};
template <class F>
concept HasEnumNames = requires {
  EnumNames<F>::kNames;
};
template <class F>
concept HasFromConfig = requires(const ConfigNode& node, const std::string& path, Problems& p) {
  { F::FromConfig(node, path, p) } -> std::same_as<std::optional<F>>;
};
template <class F>
concept HasParse = requires(std::string_view text) {
  { F::Parse(text) } -> std::same_as<Result<F>>;
};
template <class F>
concept HasToConfig = requires(const F& f) {
  { f.ToConfig() } -> std::same_as<ConfigNode>;
};
template <class F>
concept HasToString = requires(const F& f) {
  std::string(f.ToString());
};

template <class F>
const Schema<F>& GetSchema() {
  if constexpr (HasMemberSchema<F>) {
    return F::ConfigSchema();
  } else {
    return SchemaOf<F>::Get();
  }
}

// How one C++ type is described, parsed and printed. Parse leaves `out` alone when it fails.
template <class F>
struct Codec {
  static_assert(HasMemberSchema<F> || HasSchemaOf<F> || HasFromConfig<F> || HasParse<F>,
                "a configuration field of this type needs ConfigSchema(), SchemaOf, FromConfig() "
                "or Parse(); see the top of schema.h");
  static TypeInfo Type(const FieldOptions&) {
    if constexpr (HasMemberSchema<F> || HasSchemaOf<F>) {
      return ObjectType([]() -> const SchemaBase& { return GetSchema<F>(); });
    } else {
      TypeInfo type = ScalarType(TypeInfo::Kind::kCustom);
      if constexpr (requires { F::kConfigType; }) type.name = std::string(F::kConfigType);
      type.phrase = "a " + type.name;
      if constexpr (requires { F::kConfigJsonSchema; }) {
        type.json_schema = std::string(F::kConfigJsonSchema);
      }
      return type;
    }
  }
  static void Parse(const ConfigNode& node, const Spot& spot, F& out) {
    if constexpr (HasMemberSchema<F> || HasSchemaOf<F>) {
      out = GetSchema<F>().Parse(node, spot.problems, Scope{.path = spot.path, .known_keys = {}});
    } else if constexpr (HasFromConfig<F>) {
      if (std::optional<F> value = F::FromConfig(node, spot.path, spot.problems)) {
        out = std::move(*value);
      }
    } else {
      if (!ExpectScalar(node, spot)) return;
      Result<F> value = F::Parse(node.text());
      if (value.ok()) {
        out = std::move(value).value();
      } else {
        FailCustom(node, spot, value.status());
      }
    }
  }
  static ConfigNode Print(const F& value) {
    if constexpr (HasMemberSchema<F> || HasSchemaOf<F>) {
      return GetSchema<F>().ToNode(value);
    } else if constexpr (HasToConfig<F>) {
      return value.ToConfig();
    } else if constexpr (HasToString<F>) {
      return ConfigNode::Scalar(std::string(value.ToString()), true);
    } else {
      return ConfigNode();
    }
  }
};

template <>
struct Codec<bool> {
  static TypeInfo Type(const FieldOptions&) { return ScalarType(TypeInfo::Kind::kBool); }
  static void Parse(const ConfigNode& node, const Spot& spot, bool& out) {
    if (auto value = ParseBool(node, spot)) out = *value;
  }
  static ConfigNode Print(bool value) { return ConfigNode::Scalar(value ? "true" : "false"); }
};

template <std::integral I>
struct Codec<I> {
  static TypeInfo Type(const FieldOptions&) {
    TypeInfo type = ScalarType(TypeInfo::Kind::kInteger);
    type.is_unsigned = std::is_unsigned_v<I>;
    return type;
  }
  static void Parse(const ConfigNode& node, const Spot& spot, I& out) {
    using Limits = std::numeric_limits<I>;
    if constexpr (std::is_signed_v<I>) {
      if (auto value = ParseSigned(node, spot, Limits::min(), Limits::max())) {
        out = static_cast<I>(*value);
      }
    } else {
      if (auto value = ParseUnsigned(node, spot, Limits::max())) out = static_cast<I>(*value);
    }
  }
  static ConfigNode Print(I value) { return ConfigNode::Scalar(std::to_string(value)); }
};

template <>
struct Codec<double> {
  static TypeInfo Type(const FieldOptions&) { return ScalarType(TypeInfo::Kind::kNumber); }
  static void Parse(const ConfigNode& node, const Spot& spot, double& out) {
    if (auto value = ParseNumber(node, spot)) out = *value;
  }
  static ConfigNode Print(double value) { return NumberNode(value); }
};

template <>
struct Codec<std::string> {
  static TypeInfo Type(const FieldOptions& options) {
    return options.choices.empty() ? ScalarType(TypeInfo::Kind::kText)
                                   : ChoiceType(options.choices);
  }
  static void Parse(const ConfigNode& node, const Spot& spot, std::string& out) {
    if (auto value = ParseString(node, spot)) out = std::move(*value);
  }
  static ConfigNode Print(const std::string& value) { return ConfigNode::Scalar(value, true); }
};

template <>
struct Codec<ByteSize> {
  static TypeInfo Type(const FieldOptions&) { return ScalarType(TypeInfo::Kind::kByteSize); }
  static void Parse(const ConfigNode& node, const Spot& spot, ByteSize& out) {
    if (auto value = ParseSize(node, spot)) out = *value;
  }
  static ConfigNode Print(ByteSize value) {
    return ConfigNode::Scalar(FormatByteSize(value), true);
  }
};

template <>
struct Codec<Duration> {
  static TypeInfo Type(const FieldOptions&) { return ScalarType(TypeInfo::Kind::kDuration); }
  static void Parse(const ConfigNode& node, const Spot& spot, Duration& out) {
    if (auto value = ParseSpan(node, spot)) out = *value;
  }
  static ConfigNode Print(Duration value) {
    return ConfigNode::Scalar(FormatDuration(value), true);
  }
};

template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
  static TypeInfo Type(const FieldOptions& options) {
    if constexpr (HasEnumNames<E>) {
      return ChoiceType({std::begin(EnumNames<E>::kNames), std::end(EnumNames<E>::kNames)});
    } else {
      CHECK(!options.choices.empty(), "an enum field needs EnumNames or .choices");
      return ChoiceType(options.choices);
    }
  }
  static std::vector<std::string> Names(const FieldOptions& options) {
    return Type(options).choices;
  }
  static void Parse(const ConfigNode& node, const Spot& spot, E& out) {
    if (auto index = ParseChoice(node, spot, Names(spot.field.options))) {
      out = static_cast<E>(*index);
    }
  }
  static ConfigNode Print(E value) {
    if constexpr (HasEnumNames<E>) {
      return ConfigNode::Scalar(std::string(EnumNames<E>::kNames[static_cast<size_t>(value)]),
                                true);
    } else {
      // The names are known to the field only: MemberBinding puts them in.
      return ConfigNode::Scalar(std::to_string(static_cast<size_t>(value)));
    }
  }
};

template <>
struct Codec<ConfigNode> {
  static TypeInfo Type(const FieldOptions& options) { return AnyType(options); }
  static void Parse(const ConfigNode& node, const Spot&, ConfigNode& out) { out = node; }
  static ConfigNode Print(const ConfigNode& value) { return value; }
};

template <class F>
struct Codec<std::vector<F>> {
  static TypeInfo Type(const FieldOptions& options) { return ListType(Codec<F>::Type(options)); }
  static void Parse(const ConfigNode& node, const Spot& spot, std::vector<F>& out) {
    auto items = ListItems(node, spot);
    if (!items) return;
    std::vector<F> values;
    for (size_t i = 0; i < items->size(); ++i) {
      const std::string path = spot.path + "[" + std::to_string(i) + "]";
      F value{};
      Codec<F>::Parse((*items)[i], Spot{spot.field, path, spot.problems}, value);
      values.push_back(std::move(value));
    }
    CheckItemCount(node, spot, values.size());
    out = std::move(values);
  }
  static ConfigNode Print(const std::vector<F>& values) {
    std::vector<ConfigNode> items;
    for (const auto& value : values) items.push_back(Codec<F>::Print(value));
    return ConfigNode::List(std::move(items));
  }
};

template <class F>
struct Codec<std::map<std::string, F>> {
  static TypeInfo Type(const FieldOptions& options) { return MapType(Codec<F>::Type(options)); }
  static void Parse(const ConfigNode& node, const Spot& spot, std::map<std::string, F>& out) {
    if (!ExpectMap(node, spot)) return;
    std::map<std::string, F> values;
    for (const ConfigNode::Entry& entry : node.entries()) {
      const std::string path = spot.path + "." + entry.key;
      F value{};
      Codec<F>::Parse(entry.value, Spot{spot.field, path, spot.problems}, value);
      values.emplace(entry.key, std::move(value));
    }
    CheckItemCount(node, spot, values.size());
    out = std::move(values);
  }
  static ConfigNode Print(const std::map<std::string, F>& values) {
    std::vector<ConfigNode::Entry> entries;
    for (const auto& [key, value] : values) {
      entries.push_back({key, Codec<F>::Print(value), Place{}});
    }
    return ConfigNode::Map(std::move(entries));
  }
};

template <class F>
struct Codec<std::optional<F>> {
  static TypeInfo Type(const FieldOptions& options) {
    TypeInfo type = Codec<F>::Type(options);
    type.optional = true;
    return type;
  }
  static void Parse(const ConfigNode& node, const Spot& spot, std::optional<F>& out) {
    F value{};
    const size_t before = spot.problems.size();
    Codec<F>::Parse(node, spot, value);
    if (spot.problems.size() == before) out = std::move(value);
  }
  static ConfigNode Print(const std::optional<F>& value) {
    return value ? Codec<F>::Print(*value) : ConfigNode();
  }
};

}  // namespace internal

// The schema of S, for FieldOptions::shape.
template <class S>
const SchemaBase& ShapeOf() {
  return internal::GetSchema<S>();
}

// The table. See the top of this file.
//
// REQUIRES of each table: names and members are given once, limits have the field's kind (CHECKed).
template <class T>
class Schema final : public SchemaBase {
 public:
  Schema(std::string name, std::string doc, SchemaOptions options = {})
      : SchemaBase(std::move(name), std::move(doc), std::move(options)) {}

  // `Owner` is T or one of its bases.
  template <class F, class Owner>
  requires std::derived_from<T, Owner> Schema& Field(std::string name, F Owner::*member,
                                                     FieldOptions options) {
    TypeInfo type = internal::Codec<F>::Type(options);
    std::vector<std::string> names;
    if constexpr (std::is_enum_v<F>) names = type.choices;
    AddField(FieldInfo{std::move(name), std::move(options), std::move(type)},
             std::make_shared<MemberBinding<F, Owner>>(member, std::move(names)));
    return *this;
  }

  // Runs after the fields of an object were read without a problem.
  Schema& Check(std::function<void(const T&, CheckContext&)> check) {
    AddCheck([check = std::move(check)](const void* object, CheckContext& context) {
      check(*static_cast<const T*>(object), context);
    });
    return *this;
  }

  // The struct that `node` describes; everything that is wrong goes to `problems`, and the fields
  // concerned keep their defaults. A caller uses the struct only when no problem was added.
  T Parse(const ConfigNode& node, Problems& problems, const Scope& scope = {}) const {
    T object{};
    ParseObject(node, scope, &object, problems);
    return object;
  }

  // From text, for the many places that have no file: tests, defaults, embedded configurations.
  Result<T> ParseText(std::string_view yaml, std::string_view file_name = "configuration",
                      const YamlOptions& options = {}) const {
    ASSIGN_OR_RETURN(const ConfigNode node, ParseYaml(yaml, file_name, options));
    Problems problems;
    T object = Parse(node, problems);
    RETURN_IF_ERROR(problems.ToStatus());
    return object;
  }

  // The struct as configuration, secrets included (see Redacted in describe.h).
  ConfigNode ToNode(const T& object) const { return PrintObject(&object); }

  ConfigNode Defaults() const override { return ToNode(T{}); }
  void Validate(const ConfigNode& node, Problems& problems, const Scope& scope) const override {
    Parse(node, problems, scope);
  }

 private:
  template <class F, class Owner>
  class MemberBinding final : public Binding {
   public:
    MemberBinding(F Owner::*member, std::vector<std::string> enum_names)
        : member_(member), enum_names_(std::move(enum_names)) {}
    void Parse(const ConfigNode& node, const Spot& spot, void* object) const override {
      internal::Codec<F>::Parse(node, spot, static_cast<T*>(object)->*member_);
    }
    ConfigNode Print(const void* object) const override {
      const F& value = static_cast<const T*>(object)->*member_;
      if constexpr (std::is_enum_v<F>) {
        return ConfigNode::Scalar(enum_names_.at(static_cast<size_t>(value)), true);
      } else {
        return internal::Codec<F>::Print(value);
      }
    }

   private:
    F Owner::*member_;
    std::vector<std::string> enum_names_;
  };
};

}  // namespace kelp::config

#endif  // KELP_CONFIG_SCHEMA_H_
