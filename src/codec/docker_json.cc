#include "codec/docker_json.h"

#include <cstring>

#include "codec/json_scan.h"

namespace kelp::codec {
namespace {

constexpr std::string_view kHead = "{\"log\":\"";
constexpr std::string_view kStdoutTail = "\",\"stream\":\"stdout\",\"time\":\"";
constexpr std::string_view kStderrTail = "\",\"stream\":\"stderr\",\"time\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr size_t kTimeMin = 20;  // 2026-11-20T23:59:27Z
constexpr size_t kTimeMax = 35;  // with nine digits and an offset
constexpr size_t kTimeUsual = 30;

static_assert(kStdoutTail.size() == kStderrTail.size());
static_assert(kStdoutTail.size() + kTimeMin + kEnd.size() >= kContentAhead,
              "what stands behind the log is what ReadJsonContent may read ahead");

// Takes the escape of a newline off the end of a string's content; false when there is none.
bool TakeNewlineEscape(std::string_view& content) {
  if (!content.ends_with("\\n")) return false;
  size_t backslashes = 1;
  while (content.size() >= backslashes + 2 && content[content.size() - 2 - backslashes] == '\\') {
    ++backslashes;
  }
  if (backslashes % 2 == 0) return false;  // an escaped backslash, then an 'n'
  content.remove_suffix(2);
  return true;
}

// Where the text of the time begins, which ends before kEnd; npos when there is none.
size_t FindTime(std::string_view line) {
  const size_t end = line.size() - kEnd.size();
  if (line[end - kTimeUsual - 1] == '"') return end - kTimeUsual;
  for (size_t size = kTimeMin; size <= kTimeMax; ++size) {
    if (line[end - size - 1] == '"') return end - size;
  }
  return std::string_view::npos;
}

// The text between the quotes of a JSON string, escapes resolved.
std::string_view Unquote(std::string_view value, Batch& arena) {
  value = value.substr(1, value.size() - 2);
  if (value.find('\\') == std::string_view::npos) return value;
  char* begin = arena.Allocate(value.size() + kUnescapeSlack);
  char* end = UnescapeJson(value.data(), value.data() + value.size(), begin);
  arena.ShrinkLast(end);
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

bool DockerJsonParser::ParseFast(std::string_view line, Batch& arena, DockerLine& out) {
  if (line.size() < kHead.size() + kStdoutTail.size() + kTimeMin + kEnd.size()) return false;
  if (!line.starts_with(kHead) || !line.ends_with(kEnd)) return false;
  const size_t time = FindTime(line);
  if (time == std::string_view::npos || time < kHead.size() + kStdoutTail.size()) return false;
  const char* tail = line.data() + time - kStdoutTail.size();
  if (std::memcmp(tail, kStdoutTail.data(), kStdoutTail.size()) == 0) {
    out.stream = Stream::kStdout;
  } else if (std::memcmp(tail, kStderrTail.data(), kStderrTail.size()) == 0) {
    out.stream = Stream::kStderr;
  } else {
    return false;
  }
  const char* end = line.data() + line.size() - kEnd.size();
  if (time_.Read(line.data() + time, end, out.time) != end) return false;
  const char* log = line.data() + kHead.size();
  std::string_view content(log, static_cast<size_t>(tail - log));
  out.partial = !TakeNewlineEscape(content);
  out.attrs = {};
  return ReadJsonContent(content.data(), content.data() + content.size(), arena, out.log);
}

bool DockerJsonParser::TakeMember(std::string_view key, std::string_view value, Batch& arena,
                                  DockerLine& out) {
  if (key == "log") {
    if (value[0] != '"') return false;
    out.log = Unquote(value, arena);
    out.partial = !out.log.ends_with('\n');
    if (!out.partial) out.log.remove_suffix(1);
  } else if (key == "stream") {
    out.stream = value == "\"stderr\"" ? Stream::kStderr : Stream::kStdout;
  } else if (key == "time" && value[0] == '"') {
    const char* end = value.data() + value.size() - 1;
    if (time_.Read(value.data() + 1, end, out.time) != end) out.time = kNoTime;
  } else if (key == "attrs" && value[0] == '{') {
    out.attrs = value;
  }
  return true;
}

bool DockerJsonParser::ParsePlain(std::string_view line, Batch& arena, DockerLine& out) {
  out = {};
  bool found = false;
  const bool object = ForEachMember(line, [&](std::string_view key, std::string_view value) {
    const std::string_view name = Unquote(key, arena);
    found |= name == "log";
    return TakeMember(name, value, arena, out);
  });
  return object && found;
}

}  // namespace kelp::codec
