// The fast token scan and the plain rule must agree on any bytes.
#include <cstdlib>

#include "store/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::store;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<uint64_t> fast;
  HashTokens(text, fast);
  std::vector<Token> tokens;
  Tokenize(text, tokens);
  if (fast.size() != tokens.size()) std::abort();
  uint32_t last = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& t = tokens[i];
    if (t.begin < last || t.end <= t.begin || t.end > size) std::abort();
    last = t.end;
    if (TokenHash(text.substr(t.begin, t.end - t.begin)) != fast[i]) std::abort();
  }
  return 0;
}
