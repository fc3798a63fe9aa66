#include "codec/cri.h"

namespace kelp::codec {

// An empty line whose writer left out the last space: " stdout F".
bool CriParser::ParseShort(const char* p, const char* end, CriLine& out) {
  const std::string_view rest(p, static_cast<size_t>(end - p));
  if (rest.size() != kHeadBytes - 1) return false;
  if (!rest.starts_with(" stdout ") && !rest.starts_with(" stderr ")) return false;
  if (rest.back() != 'F' && rest.back() != 'P') return false;
  out.stream = rest[4] == 'o' ? Stream::kStdout : Stream::kStderr;
  out.partial = rest.back() == 'P';
  out.content = {end, 0};
  return true;
}

// Further tags, ":name" each, which mean nothing to us.
bool CriParser::ParseTags(const char* p, const char* end, CriLine& out) {
  if (*p != ':') return false;
  const void* space = std::memchr(p, ' ', static_cast<size_t>(end - p));
  if (space == nullptr) return false;
  const char* content = static_cast<const char*>(space) + 1;
  out.content = {content, static_cast<size_t>(end - content)};
  return true;
}

}  // namespace kelp::codec
