// The one file that knows yaml-cpp. It uses the library's event interface, so that our limits hold
// while the text is read, and our nodes keep the places that the library's nodes lose for keys.
#include "config/yaml.h"

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cctype>
#include <cstdlib>
#include <istream>
#include <streambuf>
#include <unordered_map>
#include <unordered_set>

namespace kelp::config {
namespace {

// The length of the UTF-8 sequence at `p`, or 0 when there is none (overlong forms and surrogates
// included).
size_t Utf8Length(const unsigned char* p, size_t left) {
  if (p[0] < 0x80) return 1;
  const size_t length = p[0] >= 0xf0 ? 4 : (p[0] >= 0xe0 ? 3 : 2);
  if (p[0] < 0xc2 || p[0] > 0xf4 || left < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((p[i] & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
  const bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
  return overlong || beyond ? 0 : length;
}

// The index of the first byte that is not part of UTF-8 text, or is NUL; npos when all is well.
size_t FindNotUtf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8Length(bytes + i, text.size() - i);
    if (length == 0 || bytes[i] == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

// False, with a problem, when `text` is not UTF-8: the library would take such bytes for something
// else without a word.
bool CheckUtf8(std::string_view text, const std::shared_ptr<const std::string>& file,
               Problems& problems) {
  const size_t bad = FindNotUtf8(text);
  if (bad == std::string_view::npos) return true;
  Place place{file, 1, 1};
  for (size_t i = 0; i < bad; ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    place.column = text[i] == '\n' ? 1 : place.column + (starts_character ? 1 : 0);
    if (text[i] == '\n') ++place.line;
  }
  problems.Add(place, "", "not UTF-8 text; save the file as UTF-8");
  return false;
}

// Lets the library read `text` without copying it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // read only: no put area is set
    setg(begin, begin, begin + text.size());
  }
};

// Builds our tree from the library's events.
//
// Handlers cannot stop the library without throwing, so after a fatal problem they ignore the rest.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view file_name, const YamlOptions& options, Problems& problems)
      : file_(std::make_shared<const std::string>(file_name)),
        options_(options),
        problems_(problems) {}

  Place At(const YAML::Mark& mark) const {
    return mark.is_null() ? Place{file_, 0, 0} : Place{file_, mark.line + 1, mark.column + 1};
  }
  ConfigNode TakeRoot() { return std::move(root_); }
  bool saw_document() const { return saw_document_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    saw_document_ = true;
    root_ = ConfigNode::Null(At(mark));
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (given_up_) return;
    if (KeyIsNext()) return Fail(At(mark), "a key is missing before the colon");
    Put(ConfigNode::Null(At(mark)), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (given_up_) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return Fail(At(mark), "an alias stands inside the value it names");
    if (!KeyIsNext()) return PutAlias(found->second, At(mark));
    if (!found->second.is_scalar()) return Fail(At(mark), "a key must be text");
    PutKey(found->second.text(), false, At(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (given_up_) return;
    if (FindNotUtf8(value) != std::string::npos) {
      return Fail(At(mark), "the text is not UTF-8 or holds NUL; mind escapes like \\N and \\x00");
    }
    const bool quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (KeyIsNext()) {
      if (anchor != 0) anchors_[anchor] = ConfigNode::Scalar(value, quoted, At(mark));
      return PutKey(value, !quoted, At(mark));
    }
    Put(ConfigNode::Scalar(Expanded(value, At(mark)), quoted, At(mark)), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(false, At(mark), anchor);
  }
  void OnSequenceEnd() override {
    if (given_up_) return;
    Frame frame = Close();
    Put(ConfigNode::List(std::move(frame.items), frame.place), frame.anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(true, At(mark), anchor);
  }
  void OnMapEnd() override {
    if (given_up_) return;
    Frame frame = Close();
    for (const ConfigNode& merged : frame.merged) Merge(merged, frame);
    Put(ConfigNode::Map(std::move(frame.entries), frame.place), frame.anchor);
  }

 private:
  // A list or map that is still open.
  struct Frame {
    bool is_map = false;
    Place place;
    YAML::anchor_t anchor = 0;
    std::vector<ConfigNode> items;
    std::vector<ConfigNode::Entry> entries;
    std::unordered_set<std::string> keys;
    std::vector<ConfigNode> merged;  // the values of `<<`
    bool has_key = false;            // a key was read, its value comes next
    bool key_is_merge = false;
    std::string key;
    Place key_place;
  };

  bool KeyIsNext() const {
    return !frames_.empty() && frames_.back().is_map && !frames_.back().has_key;
  }

  // A problem after which the rest of the text makes no sense.
  void Fail(Place place, std::string message) {
    problems_.Add(place, "", std::move(message));
    given_up_ = true;
  }

  bool Count(size_t nodes, const Place& place) {
    node_count_ += nodes;
    if (node_count_ <= kYamlNodesMax) return true;
    Fail(place, fmt::format("more than {} values, aliases included", kYamlNodesMax));
    return false;
  }

  void Open(bool is_map, Place place, YAML::anchor_t anchor) {
    if (given_up_) return;
    if (KeyIsNext()) return Fail(place, "a key must be text, not a list or a map");
    if (frames_.size() >= static_cast<size_t>(kYamlDepthMax)) {
      return Fail(place, fmt::format("more than {} levels deep", kYamlDepthMax));
    }
    Frame frame;
    frame.is_map = is_map;
    frame.place = std::move(place);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  Frame Close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame;
  }

  void PutKey(const std::string& key, bool plain, Place place) {
    Frame& frame = frames_.back();
    frame.has_key = true;
    frame.key_is_merge = plain && key == "<<";
    frame.key = key;
    frame.key_place = std::move(place);
    if (!frame.keys.insert(key).second) {
      problems_.Add(frame.key_place, "", "the key \"" + key + "\" stands twice in this map");
    }
  }

  // Writing an alias costs one word, reading it costs all that it names.
  void PutAlias(const ConfigNode& node, const Place& place) {
    if (Count(node.node_count(), place)) Put(node, 0);
  }

  void Put(ConfigNode node, YAML::anchor_t anchor) {
    if (!Count(1, node.place())) return;
    if (anchor != 0) anchors_[anchor] = node;
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (!frame.is_map) {
      frame.items.push_back(std::move(node));
      return;
    }
    frame.has_key = false;
    if (frame.key_is_merge) {
      AddMerged(node, frame);
    } else {
      frame.entries.push_back({std::move(frame.key), std::move(node), std::move(frame.key_place)});
    }
  }

  void AddMerged(const ConfigNode& node, Frame& frame) {
    if (node.is_map()) {
      frame.merged.push_back(node);
      return;
    }
    bool good = node.is_list();
    for (const ConfigNode& item : node.items()) {
      good = good && item.is_map();
      frame.merged.push_back(item);
    }
    if (!good) Fail(frame.key_place, "\"<<\" needs a map or a list of maps");
  }

  // Adds the entries whose keys the map does not have itself; earlier merges win over later ones.
  void Merge(const ConfigNode& from, Frame& frame) {
    if (!Count(from.node_count(), frame.place)) return;
    for (const ConfigNode::Entry& entry : from.entries()) {
      if (frame.keys.insert(entry.key).second) frame.entries.push_back(entry);
    }
  }

  std::string Expanded(const std::string& value, const Place& place) {
    if (!options_.expand_env || value.find('$') == std::string::npos) return value;
    Result<std::string> expanded = ExpandEnv(value, options_);
    if (!expanded.ok()) {
      problems_.Add(place, "", std::string(expanded.status().message()));
      return value;
    }
    if (FindNotUtf8(expanded.value()) != std::string::npos) {
      problems_.Add(place, "", "an environment variable in \"" + value + "\" is not UTF-8 text");
      return value;
    }
    return std::move(expanded).value();
  }

  std::shared_ptr<const std::string> file_;
  const YamlOptions& options_;
  Problems& problems_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, ConfigNode> anchors_;
  ConfigNode root_;
  size_t node_count_ = 0;
  bool saw_document_ = false;
  bool given_up_ = false;
};

// Runs the library over `text`. False after a problem.
bool RunParser(std::string_view text, Builder& first, Builder& rest, Problems& problems,
               const std::shared_ptr<const std::string>& file) {
  const auto fail = [&](int line, int column, const std::string& what) {
    problems.Add(Place{file, line, column}, "", "not valid YAML: " + what);
    return false;
  };
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(first) && parser.HandleNextDocument(rest)) {
      problems.Add(rest.TakeRoot(), "", "a second document starts here; a file holds only one");
      return false;
    }
  } catch (const YAML::Exception& e) {
    return e.mark.is_null() ? fail(0, 0, e.msg) : fail(e.mark.line + 1, e.mark.column + 1, e.msg);
  } catch (const std::exception& e) {
    return fail(0, 0, e.what());
  }
  return true;
}

bool IsNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
// Kubernetes allows dots and dashes in names of variables.
bool IsNameChar(char c) {
  return IsNameStart(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-';
}

std::optional<std::string> LookUp(const std::string& name, const YamlOptions& options) {
  if (options.env) return options.env(name);
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): never set by us
  return value ? std::optional<std::string>(value) : std::nullopt;
}

// The end of the reference whose "${" is before `start`: the index of its closing brace.
size_t ClosingBrace(std::string_view text, size_t start) {
  int open = 1;
  for (size_t i = start; i < text.size(); ++i) {
    if (text[i] == '{' && text[i - 1] == '$') ++open;
    if (text[i] == '}' && --open == 0) return i;
  }
  return std::string_view::npos;
}

Result<std::string> Expand(std::string_view text, const YamlOptions& options, int depth);

// The value of "NAME" or "NAME:-default", the inside of a reference.
Result<std::string> ExpandReference(std::string_view inside, const YamlOptions& options,
                                    int depth) {
  size_t end = 0;
  while (end < inside.size() && IsNameChar(inside[end])) ++end;
  const std::string name(inside.substr(0, end));
  const std::string_view rest = inside.substr(end);
  const bool has_default = rest.starts_with(":-");
  if (name.empty() || !IsNameStart(name[0]) || (!rest.empty() && !has_default)) {
    return InvalidArgumentError("\"${" + std::string(inside) +
                                "}\" names no environment variable; write $$ for a dollar sign");
  }
  std::optional<std::string> value = LookUp(name, options);
  if (has_default) {
    if (value && !value->empty()) return *std::move(value);
    return Expand(rest.substr(2), options, depth + 1);
  }
  if (value) return *std::move(value);
  return InvalidArgumentError("the environment variable " + name +
                              " is not set; set it, or give a default: ${" + name + ":-...}");
}

Result<std::string> Expand(std::string_view text, const YamlOptions& options, int depth) {
  if (depth > kYamlDepthMax) return InvalidArgumentError("defaults of variables nest too deeply");
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '$' || (next != '$' && next != '{')) {
      out += text[i];
      continue;
    }
    if (next == '$') {
      out += '$';
      ++i;
      continue;
    }
    const size_t close = ClosingBrace(text, i + 2);
    if (close == std::string_view::npos) {
      return InvalidArgumentError("\"${\" has no closing brace; write $$ for a dollar sign");
    }
    ASSIGN_OR_RETURN(const std::string value,
                     ExpandReference(text.substr(i + 2, close - i - 2), options, depth));
    out += value;
    i = close;
  }
  return out;
}

}  // namespace

Result<std::string> ExpandEnv(std::string_view text, const YamlOptions& options) {
  return Expand(text, options, 0);
}

std::optional<ConfigNode> ParseYaml(std::string_view text, std::string_view file_name,
                                    const YamlOptions& options, Problems& problems) {
  const auto file = std::make_shared<const std::string>(file_name);
  if (text.size() > kYamlBytesMax.bytes) {
    problems.Add(Place{file, 0, 0}, "",
                 fmt::format("{} is larger than the {} a configuration may have",
                             FormatByteSizeShort({text.size()}), FormatByteSize(kYamlBytesMax)));
    return std::nullopt;
  }
  if (!CheckUtf8(text, file, problems)) return std::nullopt;
  const size_t before = problems.size();
  Builder first(file_name, options, problems);
  Problems ignored;  // of documents that are refused anyway
  Builder rest(file_name, options, ignored);
  RunParser(text, first, rest, problems, file);
  if (problems.size() != before) return std::nullopt;
  return first.saw_document() ? first.TakeRoot() : ConfigNode::Null(Place{file, 1, 1});
}

Result<ConfigNode> ParseYaml(std::string_view text, std::string_view file_name,
                             const YamlOptions& options) {
  Problems problems;
  std::optional<ConfigNode> node = ParseYaml(text, file_name, options, problems);
  RETURN_IF_ERROR(problems.ToStatus());
  return *std::move(node);
}

}  // namespace kelp::config
