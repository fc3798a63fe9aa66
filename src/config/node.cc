#include "config/node.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace kelp::config {

struct ConfigNode::Rep {
  Kind kind = Kind::kNull;
  bool quoted = false;
  std::string text;
  std::vector<ConfigNode> items;
  std::vector<Entry> entries;
  Place place;
  size_t node_count = 1;
};

const ConfigNode::Rep& ConfigNode::Nothing() {
  static const Rep* const nothing = new Rep;
  return *nothing;
}

ConfigNode ConfigNode::Null(Place place) {
  auto rep = std::make_shared<Rep>();
  rep->place = std::move(place);
  return ConfigNode(std::move(rep));
}

ConfigNode ConfigNode::Scalar(std::string text, bool quoted, Place place) {
  auto rep = std::make_shared<Rep>();
  rep->kind = Kind::kScalar;
  rep->text = std::move(text);
  rep->quoted = quoted;
  rep->place = std::move(place);
  return ConfigNode(std::move(rep));
}

ConfigNode ConfigNode::List(std::vector<ConfigNode> items, Place place) {
  auto rep = std::make_shared<Rep>();
  rep->kind = Kind::kList;
  rep->items = std::move(items);
  rep->place = std::move(place);
  for (const ConfigNode& item : rep->items) rep->node_count += item.node_count();
  return ConfigNode(std::move(rep));
}

ConfigNode ConfigNode::Map(std::vector<Entry> entries, Place place) {
  auto rep = std::make_shared<Rep>();
  rep->kind = Kind::kMap;
  rep->entries = std::move(entries);
  rep->place = std::move(place);
  for (const Entry& entry : rep->entries) rep->node_count += entry.value.node_count();
  return ConfigNode(std::move(rep));
}

ConfigNode::Kind ConfigNode::kind() const { return rep().kind; }
const std::string& ConfigNode::text() const { return rep().text; }
bool ConfigNode::quoted() const { return rep().quoted; }
const std::vector<ConfigNode>& ConfigNode::items() const { return rep().items; }
const std::vector<ConfigNode::Entry>& ConfigNode::entries() const { return rep().entries; }
int ConfigNode::line() const { return rep().place.line; }
int ConfigNode::column() const { return rep().place.column; }
const Place& ConfigNode::place() const { return rep().place; }
size_t ConfigNode::node_count() const { return rep().node_count; }

const std::string& ConfigNode::file() const {
  static const std::string* const unknown = new std::string;
  return rep().place.file ? *rep().place.file : *unknown;
}

const ConfigNode::Entry* ConfigNode::FindEntry(std::string_view key) const {
  for (const Entry& entry : entries()) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

const ConfigNode* ConfigNode::Find(std::string_view key) const {
  const Entry* entry = FindEntry(key);
  return entry ? &entry->value : nullptr;
}

ConfigNode ConfigNode::Without(std::span<const std::string_view> keys) const {
  if (!is_map()) return *this;
  std::vector<Entry> kept;
  for (const Entry& entry : entries()) {
    if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) kept.push_back(entry);
  }
  return Map(std::move(kept), place());
}

std::string ConfigNode::Describe() const {
  switch (kind()) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return "\"" + text() + "\"";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
  }
  return "nothing";
}

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

namespace {

void AppendCanonical(const ConfigNode& node, std::string& out) {
  switch (node.kind()) {
    case ConfigNode::Kind::kNull:
      out += "null";
      return;
    case ConfigNode::Kind::kScalar:
      out += JsonString(node.text());
      return;
    case ConfigNode::Kind::kList: {
      out += '[';
      const char* separator = "";
      for (const ConfigNode& item : node.items()) {
        out += separator;
        AppendCanonical(item, out);
        separator = ",";
      }
      out += ']';
      return;
    }
    case ConfigNode::Kind::kMap: {
      std::vector<const ConfigNode::Entry*> sorted;
      for (const auto& entry : node.entries()) sorted.push_back(&entry);
      std::sort(sorted.begin(), sorted.end(),
                [](const auto* a, const auto* b) { return a->key < b->key; });
      out += '{';
      const char* separator = "";
      for (const auto* entry : sorted) {
        out += separator + JsonString(entry->key) + ':';
        AppendCanonical(entry->value, out);
        separator = ",";
      }
      out += '}';
      return;
    }
  }
}

bool IsJsonNumber(std::string_view s) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < s.size() && std::isdigit(static_cast<unsigned char>(s[i]))) ++i;
    return i - start;
  };
  if (i < s.size() && s[i] == '-') ++i;
  const size_t first = i;
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && s[first] == '0')) return false;
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == s.size();
}

// True when YAML would read the text as something else than this string.
bool LooksLikeOtherType(std::string_view s) {
  for (const char* word : {"~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False",
                           "FALSE", "yes", "no", "on", "off", ".inf", ".nan"}) {
    if (s == word) return true;
  }
  return IsJsonNumber(s);
}

// True when the text can stand in YAML without quotes, in block and in flow style. Narrower than
// YAML: what is rare is quoted, for quotes do no harm.
bool IsPlainSafe(std::string_view s) {
  constexpr std::string_view kSafe = "_./-*+@$^()~=%\\: ";
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (s.empty() || s.back() == ' ' || s.back() == ':') return false;
  const bool first_is_safe = is_word(s[0]) || std::string_view("_./$^(\\").find(s[0]) != s.npos ||
                             (s[0] == '-' && s.size() > 1 && is_word(s[1]));
  if (!first_is_safe) return false;
  for (size_t i = 0; i < s.size(); ++i) {
    if (!is_word(s[i]) && kSafe.find(s[i]) == std::string_view::npos) return false;
    if (s[i] == ':' && s[i + 1] == ' ') return false;  // not the last: checked above
  }
  return true;
}

std::string ScalarYaml(const std::string& text, bool quoted) {
  if (IsPlainSafe(text) && !(quoted && LooksLikeOtherType(text))) return text;
  return JsonString(text);  // a JSON string is a YAML double-quoted scalar
}

// A key with what stands before its colon. YAML reads a key of more than 1024 characters only after
// a question mark.
std::string KeyYaml(const std::string& key, std::string_view break_before_colon) {
  constexpr size_t kPlainKeyMax = 1000;
  const std::string text = ScalarYaml(key, true);
  return text.size() <= kPlainKeyMax ? text : "? " + text + std::string(break_before_colon);
}

void AppendInline(const ConfigNode& node, std::string& out) {
  switch (node.kind()) {
    case ConfigNode::Kind::kNull:
      out += "null";
      return;
    case ConfigNode::Kind::kScalar:
      out += ScalarYaml(node.text(), node.quoted());
      return;
    case ConfigNode::Kind::kList: {
      out += '[';
      const char* separator = "";
      for (const ConfigNode& item : node.items()) {
        out += separator;
        AppendInline(item, out);
        separator = ", ";
      }
      out += ']';
      return;
    }
    case ConfigNode::Kind::kMap: {
      out += '{';
      const char* separator = "";
      for (const auto& entry : node.entries()) {
        out += separator + KeyYaml(entry.key, " ") + ": ";
        AppendInline(entry.value, out);
        separator = ", ";
      }
      out += '}';
      return;
    }
  }
}

bool IsBlock(const ConfigNode& node) { return !node.items().empty() || !node.entries().empty(); }

// Appends the lines of a non-empty list or map. The first line is not indented: the caller has
// already written what stands before it.
void AppendBlock(const ConfigNode& node, size_t indent, std::string& out) {
  bool first = true;
  const auto start_line = [&] {
    if (!first) out.append(indent, ' ');
    first = false;
  };
  for (const ConfigNode& item : node.items()) {
    start_line();
    out += "- ";
    if (IsBlock(item)) {
      AppendBlock(item, indent + 2, out);
    } else {
      AppendInline(item, out);
      out += '\n';
    }
  }
  for (const auto& entry : node.entries()) {
    start_line();
    out += KeyYaml(entry.key, "\n" + std::string(indent, ' ')) + ":";
    if (IsBlock(entry.value)) {
      out += '\n';
      out.append(indent + 2, ' ');
      AppendBlock(entry.value, indent + 2, out);
    } else {
      out += ' ';
      AppendInline(entry.value, out);
      out += '\n';
    }
  }
}

// Appends what stands between two elements, or before the first and after the last one.
void AppendJsonBreak(size_t indent, size_t depth, bool spaced, std::string& out) {
  if (indent > 0) {
    out += '\n';
    out.append(indent * depth, ' ');
  } else if (spaced) {
    out += ' ';
  }
}

void AppendJson(const ConfigNode& node, size_t indent, size_t depth, std::string& out) {
  if (node.is_null()) {
    out += "null";
    return;
  }
  if (node.is_scalar()) {
    const std::string& text = node.text();
    const bool bare = !node.quoted() && (text == "true" || text == "false" || IsJsonNumber(text));
    out += bare ? text : JsonString(text);
    return;
  }
  const bool empty = node.items().empty() && node.entries().empty();
  out += node.is_list() ? '[' : '{';
  bool first = true;
  const auto next = [&] {
    if (!first) out += ',';
    AppendJsonBreak(indent, depth + 1, !first, out);
    first = false;
  };
  for (const ConfigNode& item : node.items()) {
    next();
    AppendJson(item, indent, depth + 1, out);
  }
  for (const auto& entry : node.entries()) {
    next();
    out += JsonString(entry.key) + ": ";
    AppendJson(entry.value, indent, depth + 1, out);
  }
  if (!empty) AppendJsonBreak(indent, depth, false, out);
  out += node.is_list() ? ']' : '}';
}

}  // namespace

std::string CanonicalText(const ConfigNode& node) {
  std::string out;
  AppendCanonical(node, out);
  return out;
}

std::string PrintYaml(const ConfigNode& node) {
  std::string out;
  if (IsBlock(node)) {
    AppendBlock(node, 0, out);
  } else {
    AppendInline(node, out);
    out += '\n';
  }
  return out;
}

std::string PrintYamlInline(const ConfigNode& node) {
  std::string out;
  AppendInline(node, out);
  return out;
}

std::string PrintJson(const ConfigNode& node, size_t indent) {
  std::string out;
  AppendJson(node, indent, 0, out);
  return out;
}

}  // namespace kelp::config
