#include "loki/row_entry.h"

#include <algorithm>
#include <array>

#include "codec/byte_buffer.h"
#include "codec/json_print.h"

namespace kelp::loki {
namespace {

constexpr std::array<std::string_view, 15> kServiceLabels{"service",
                                                          "app",
                                                          "application",
                                                          "app_name",
                                                          "name",
                                                          "k8s_pod_label_app_kubernetes_io_name",
                                                          "k8s_pod_label_app",
                                                          "app_kubernetes_io_name",
                                                          "container",
                                                          "container_name",
                                                          "k8s_container_name",
                                                          "component",
                                                          "workload",
                                                          "job",
                                                          "k8s_job_name"};
constexpr std::array<std::string_view, 12> kLevelLabels{
    "level",         "LEVEL", "Level", "severity", "SEVERITY",  "Severity",
    "severity_text", "lvl",   "LVL",   "loglevel", "log_level", "Lvl"};

struct LevelWord {
  std::string_view word;
  std::string_view level;
};
constexpr std::array<LevelWord, 20> kLevelWords{
    {{"trace", "trace"},    {"trc", "trace"},    {"debug", "debug"},       {"dbg", "debug"},
     {"info", "info"},      {"inf", "info"},     {"information", "info"},  {"notice", "info"},
     {"warn", "warn"},      {"warning", "warn"}, {"wrn", "warn"},          {"error", "error"},
     {"err", "error"},      {"severe", "error"}, {"critical", "critical"}, {"crit", "critical"},
     {"alert", "critical"}, {"fatal", "fatal"},  {"panic", "fatal"},       {"emerg", "fatal"}}};

// Levels stand at the beginning of lines; further on, words like "error" are what a line tells.
constexpr size_t kLevelBytes = 256;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::span<const std::string_view> ServiceLabels() { return kServiceLabels; }
std::span<const std::string_view> LevelLabels() { return kLevelLabels; }

std::string_view LevelOf(std::string_view word) {
  if (word.size() < 3 || word.size() > 11) return {};
  std::array<char, 11> lower{};
  for (size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const std::string_view text(lower.data(), word.size());
  for (const LevelWord& known : kLevelWords) {
    if (known.word == text) return known.level;
  }
  return {};
}

std::string_view LevelOfLine(std::string_view line) {
  line = line.substr(0, kLevelBytes);
  // What a key says goes before what a word says.
  for (const std::string_view key : {"level", "severity", "lvl"}) {
    for (size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
      size_t begin = at + key.size();
      while (begin < line.size() && (line[begin] == '"' || line[begin] == ' ')) ++begin;
      if (begin >= line.size() || (line[begin] != '=' && line[begin] != ':')) continue;
      while (begin < line.size() && !IsLetter(line[begin])) ++begin;
      size_t end = begin;
      while (end < line.size() && IsLetter(line[end])) ++end;
      const std::string_view level = LevelOf(line.substr(begin, end - begin));
      if (!level.empty()) return level;
    }
  }
  for (size_t at = 0; at < line.size();) {
    size_t end = at;
    while (end < line.size() && IsLetter(line[end])) ++end;
    const std::string_view level = LevelOf(line.substr(at, end - at));
    if (!level.empty()) return level;
    at = end + 1;
  }
  return "unknown";
}

void AddServiceName(Entry& entry) {
  if (entry.Find(kServiceLabel) != nullptr) return;
  for (const std::string_view name : kServiceLabels) {
    const Label* label = entry.Find(name);
    if (label == nullptr || label->category != Category::kStream) continue;
    return entry.Set(kServiceLabel, label->value, Category::kStream);
  }
  entry.Set(kServiceLabel, kUnknownService, Category::kStream);
}

bool AddLevelFromLabels(Entry& entry) {
  if (entry.Find(kLevelLabel) != nullptr) return true;
  for (const std::string_view name : kLevelLabels) {
    const Label* label = entry.Find(name);
    if (label == nullptr) continue;
    const std::string_view level = LevelOf(label->value);
    entry.Set(kLevelLabel, level.empty() ? "unknown" : level, Category::kField);
    return true;
  }
  return false;
}

void FillEntry(const query::Row& row, Entry& entry) {
  entry.labels.clear();
  entry.arena.Clear();
  entry.time = row.time;
  const auto add = [&](const query::Field& field, Category category) {
    std::string_view name = field.name;
    if (!IsLabelName(name)) name = entry.arena.Copy(LabelName(name));
    if (const Label* label = entry.Find(name); label != nullptr) {
      // Of two tags that become one label the first one stays.
      if (label->category == category) return;
      name = entry.arena.Copy(std::string(name) + "_extracted");
    }
    entry.Set(name, field.value, category);
  };
  for (const query::Field& tag : row.resource) add(tag, Category::kStream);
  entry.Set(kLogstoreLabel, row.logstore, Category::kStream);
  AddServiceName(entry);
  for (const query::Field& field : row.fields) add(field, Category::kField);
  entry.line = row.body.empty() && !row.fields.empty() ? entry.arena.Copy(FieldsJson(row))
                                                       : std::string_view(row.body);
  if (!AddLevelFromLabels(entry)) {
    entry.Set(kLevelLabel, LevelOfLine(entry.line), Category::kField);
  }
}

std::string FieldsJson(const query::Row& row) {
  codec::ByteBuffer json;
  json.Append('{');
  for (const query::Field& field : row.fields) {
    if (json.size() > 1) json.Append(',');
    codec::AppendJsonString(json, field.name);
    json.Append(':');
    Value value = Value::String(field.value);
    value.kind = field.kind;
    codec::AppendJsonValue(json, value);
  }
  json.Append('}');
  return std::string(json.view());
}

}  // namespace kelp::loki
