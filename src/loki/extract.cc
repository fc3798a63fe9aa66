#include "loki/extract.h"

#include <algorithm>

#include "codec/json_scan.h"

namespace kelp::loki {
namespace {

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Labels of all members, nested ones joined by '_'.
bool Flatten(std::string_view object, const std::string& prefix, int depth, Entry& entry) {
  return codec::ForEachMember(object, [&](std::string_view key, std::string_view value) {
    const std::string name = LabelName(prefix + std::string(JsonText(key, entry.arena)));
    if (value[0] == '{') {
      return depth >= kJsonFlattenMax || Flatten(value, name + "_", depth + 1, entry);
    }
    if (value[0] != '[' && value != "null" && !name.empty()) {
      entry.SetParsed(entry.arena.Copy(name), JsonText(value, entry.arena));
    }
    return true;
  });
}

// The element of that number; empty: there is none.
std::string_view ElementOf(std::string_view array, std::string_view step) {
  size_t wanted = 0;
  for (const char c : step) {
    if (c < '0' || c > '9' || wanted > array.size()) return {};
    wanted = wanted * 10 + static_cast<size_t>(c - '0');
  }
  const char* end = array.data() + array.size();
  const char* p = codec::SkipJsonSpace(array.data() + 1, end);
  for (size_t i = 0; p < end && *p != ']'; ++i) {
    const char* value = p;
    p = codec::SkipJsonValue(p, end);
    if (p == nullptr) return {};
    if (i == wanted) return {value, static_cast<size_t>(p - value)};
    p = codec::SkipJsonSpace(p, end);
    if (p < end && *p == ',') p = codec::SkipJsonSpace(p + 1, end);
  }
  return {};
}

std::string_view StepInto(std::string_view value, std::string_view step, TextArena& arena) {
  if (value.empty()) return {};
  if (value[0] == '[') return ElementOf(value, step);
  std::string_view found;
  codec::ForEachMember(value, [&](std::string_view key, std::string_view member) {
    if (JsonText(key, arena) == step) found = member;
    return true;
  });
  return found;
}

void ExtractPaths(const Stage& stage, std::string_view object, Entry& entry) {
  for (const Stage::Assign& assign : stage.assigns) {
    std::string_view value = object;
    for (const std::string& step : assign.path) value = StepInto(value, step, entry.arena);
    if (value == "null") value = {};
    if (!value.empty()) entry.SetParsed(assign.label, JsonText(value, entry.arena));
  }
}

// One key=value of a logfmt line; false at the end.
class LogfmtReader {
 public:
  LogfmtReader(std::string_view text, TextArena& arena) : text_(text), arena_(arena) {}

  bool Next(std::string_view& key, std::string_view& value) {
    while (at_ < text_.size() && text_[at_] <= ' ' && text_[at_] >= 0) ++at_;
    if (at_ >= text_.size()) return false;
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '=' && text_[at_] != ' ' && text_[at_] != '\t' &&
           text_[at_] != '\n' && text_[at_] != '"') {
      ++at_;
    }
    key = text_.substr(begin, at_ - begin);
    value = {};
    if (at_ < text_.size() && text_[at_] == '"') {
      malformed_ = true;  // a quote in a key
      ++at_;
      return true;
    }
    if (at_ >= text_.size() || text_[at_] != '=') return true;
    malformed_ = malformed_ || key.empty();
    ++at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      value = Quoted();
    } else {
      const size_t start = at_;
      at_ = std::min(text_.find_first_of(" \t\n", at_), text_.size());
      value = text_.substr(start, at_ - start);
    }
    return true;
  }
  bool malformed() const { return malformed_; }

 private:
  std::string_view Quoted() {
    const char* begin = text_.data() + at_ + 1;
    const char* end = text_.data() + text_.size();
    const char* p = begin;
    bool escaped = false;
    while (p < end && *p != '"') {
      escaped = escaped || *p == '\\';
      p += *p == '\\' && p + 1 < end ? 2 : 1;
    }
    if (p >= end) {
      malformed_ = true;
      p = end;
    }
    at_ = static_cast<size_t>(p - text_.data()) + (p < end ? 1 : 0);
    const std::string_view raw(begin, static_cast<size_t>(p - begin));
    if (!escaped) return raw;
    // The escapes are those of JSON in practice; what is no JSON string stays as it stands.
    const std::string quoted = '"' + std::string(raw) + '"';
    if (!codec::IsJson(quoted)) return raw;
    return JsonText(arena_.Copy(quoted), arena_);
  }

  std::string_view text_;
  TextArena& arena_;
  size_t at_ = 0;
  bool malformed_ = false;
};

}  // namespace

std::string LabelName(std::string_view name) {
  std::string out;
  out.reserve(name.size() + 1);
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') out += '_';
  for (const char c : name) out += IsNameByte(c) ? c : '_';
  return out;
}

bool IsLabelName(std::string_view name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(), IsNameByte);
}

std::string_view JsonText(std::string_view value, TextArena& arena) {
  if (value.size() < 2 || value[0] != '"') return value;
  const std::string_view content = value.substr(1, value.size() - 2);
  if (content.find('\\') == std::string_view::npos) return content;
  char* out = arena.Allocate(content.size() + codec::kUnescapeSlack);
  const char* end = codec::UnescapeJson(content.data(), content.data() + content.size(), out);
  return {out, static_cast<size_t>(end - out)};
}

void ExtractJson(const Stage& stage, Entry& entry) {
  const std::string_view line = entry.line;
  const char* p = codec::SkipJsonSpace(line.data(), line.data() + line.size());
  if (p == line.data() + line.size() || *p != '{' || !codec::IsJson(line)) {
    return entry.SetError("JSONParserErr", "the line is no JSON object");
  }
  if (!stage.assigns.empty()) return ExtractPaths(stage, line, entry);
  Flatten(line, "", 0, entry);
}

void ExtractLogfmt(const Stage& stage, Entry& entry) {
  LogfmtReader reader(entry.line, entry.arena);
  std::string_view key;
  std::string_view value;
  while (reader.Next(key, value)) {
    if (stage.strict && reader.malformed()) break;
    if (key.empty()) continue;
    if (stage.assigns.empty()) {
      const std::string_view name = IsLabelName(key) ? key : entry.arena.Copy(LabelName(key));
      if (!value.empty()) entry.SetParsed(name, value);
      continue;
    }
    for (const Stage::Assign& assign : stage.assigns) {
      if (assign.source == key && !value.empty()) entry.SetParsed(assign.label, value);
    }
  }
  if (stage.strict && reader.malformed()) {
    entry.SetError("LogfmtParserErr", "the line is not strictly logfmt");
  }
}

void ExtractUnpack(Entry& entry) {
  std::string_view line = entry.line;
  const bool good =
      codec::ForEachMember(entry.line, [&](std::string_view key, std::string_view value) {
        if (value[0] != '"') return true;
        const std::string_view name = JsonText(key, entry.arena);
        if (name == "_entry") {
          line = JsonText(value, entry.arena);
        } else {
          entry.SetParsed(entry.arena.Copy(LabelName(name)), JsonText(value, entry.arena));
        }
        return true;
      });
  if (!good) entry.SetError("JSONParserErr", "the line is no JSON object");
  entry.line = line;
}

void ExtractRegex(codec::RegexMatcher& regex, const std::vector<std::string>& names, Entry& entry) {
  if (regex.Match(entry.line) != codec::RegexOutcome::kMatch) return;
  for (size_t i = 1; i < names.size(); ++i) {
    if (!names[i].empty() && regex.has_group(i)) entry.SetParsed(names[i], regex.group(i));
  }
}

std::string_view Decolorize(std::string_view line, TextArena& arena) {
  if (line.find('\x1b') == std::string_view::npos) return line;
  char* out = arena.Allocate(line.size());
  char* p = out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
      i += 2;
      while (i < line.size() && (line[i] < '@' || line[i] > '~')) ++i;
      continue;
    }
    *p++ = line[i];
  }
  return {out, static_cast<size_t>(p - out)};
}

}  // namespace kelp::loki
