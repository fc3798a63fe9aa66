#include "store/tokens.h"

#include <string>

#include "store/token_scan.h"

namespace kelp::store {

void Tokenize(std::string_view text, std::vector<Token>& tokens) {
  ForEachToken(text, [&](size_t begin, size_t end) {
    tokens.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
  });
}

uint64_t TokenHash(std::string_view token) {
  std::string lower(token.size(), '\0');
  LowerInto(token, lower.data());
  return HashLowered(lower.data(), lower.size());
}

void HashTokens(std::string_view text, std::vector<uint64_t>& hashes) {
  thread_local std::string scratch;
  if (scratch.size() < text.size() + 64) scratch.resize(text.size() + 64);
  ScanTokens(text, scratch.data(), [&](uint64_t hash) { hashes.push_back(hash); });
}

}  // namespace kelp::store
