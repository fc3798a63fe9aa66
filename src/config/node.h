// ConfigNode: one value of a configuration file, and where it stands in that file.
//
// Every message about a configuration names file, line and column, so the tree keeps them at each
// value and each key. It is our own tree: no other file than yaml.cc knows which library reads
// YAML.
#ifndef KELP_CONFIG_NODE_H_
#define KELP_CONFIG_NODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::config {

// A place in a configuration text. Lines and columns count from 1; 0 means "not known".
struct Place {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;
};

// A value as it was written: nothing, a scalar, a list or a map.
//
// Place:    made by ParseYaml; Schema<T>::Parse reads it.
// Threads:  immutable after it was made; copies share what they hold and are cheap.
// Limits:   those of ParseYaml. Trees made by hand have none.
// Tests:    config_test.cc
class ConfigNode {
 public:
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  struct Entry;

  // Nothing: what `key:` without a value gives.
  ConfigNode() = default;
  static ConfigNode Null(Place place = {});
  // `quoted` tells that the value is text whatever it looks like ("5" in quotes); it matters only
  // to those that print it.
  static ConfigNode Scalar(std::string text, bool quoted = false, Place place = {});
  static ConfigNode List(std::vector<ConfigNode> items, Place place = {});
  // REQUIRES: keys differ from one another.
  static ConfigNode Map(std::vector<Entry> entries, Place place = {});

  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_scalar() const { return kind() == Kind::kScalar; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_map() const { return kind() == Kind::kMap; }

  // The scalar's text after unquoting and expansion; empty for other kinds.
  const std::string& text() const;
  bool quoted() const;
  // The list's items; empty for other kinds.
  const std::vector<ConfigNode>& items() const;
  // The map's entries in the order in which they were written; empty for other kinds.
  const std::vector<Entry>& entries() const;
  // The value of `key`, or nullptr when this is no map or has no such key.
  const ConfigNode* Find(std::string_view key) const;
  // The entry of `key`, or nullptr: for messages about the key itself.
  const Entry* FindEntry(std::string_view key) const;
  // A copy of this map without `keys`. Other kinds are returned as they are.
  ConfigNode Without(std::span<const std::string_view> keys) const;

  // "a map", "a list", "nothing", or the scalar in quotes: for messages.
  std::string Describe() const;

  // Empty when not known.
  const std::string& file() const;
  int line() const;
  int column() const;
  const Place& place() const;
  // How many nodes this tree has when every alias is written out.
  size_t node_count() const;

 private:
  struct Rep;
  explicit ConfigNode(std::shared_ptr<const Rep> rep) : rep_(std::move(rep)) {}
  static const Rep& Nothing();
  const Rep& rep() const { return rep_ ? *rep_ : Nothing(); }

  std::shared_ptr<const Rep> rep_;
};

// One key of a map, and where the key stands.
struct ConfigNode::Entry {
  std::string key;
  ConfigNode value;
  Place place;
};

// A text that is equal for two trees exactly when they mean the same: keys sorted, places, comments
// and quotes left out. For "did this pipeline change", not for reading.
std::string CanonicalText(const ConfigNode& node);

// YAML as a person would write it, in block style, ending with a newline.
std::string PrintYaml(const ConfigNode& node);

// YAML on one line: "[a, b]", "{min: 5s}", "\"\"".
std::string PrintYamlInline(const ConfigNode& node);

// JSON: on one line, or with `indent` spaces per level on several. Scalars that were not quoted and
// read as a number, true or false are printed as such, all others as strings.
std::string PrintJson(const ConfigNode& node, size_t indent = 0);

// `text` as a JSON string with its quotes.
std::string JsonString(std::string_view text);

}  // namespace kelp::config

#endif  // KELP_CONFIG_NODE_H_
