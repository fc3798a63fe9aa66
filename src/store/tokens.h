// Tokens: what a search looks words up by (docs/formats/query.md, "token").
//
// A token is a run of [A-Za-z0-9_], or one CJK code point, or a run of other non-ASCII bytes.
// Hashes ignore ASCII case. Writer and reader share this one definition; a change of it is a new
// version of the segment format.
#ifndef KELP_STORE_TOKENS_H_
#define KELP_STORE_TOKENS_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace kelp::store {

struct Token {
  uint32_t begin;  // in the text
  uint32_t end;
};

// The tokens of `text`, in order. Appends.
void Tokenize(std::string_view text, std::vector<Token>& tokens);
// The hash by which filters know a token. REQUIRES: `token` is one token.
uint64_t TokenHash(std::string_view token);
// Appends the hash of each token of `text`; the fast path of the writer.
void HashTokens(std::string_view text, std::vector<uint64_t>& hashes);

}  // namespace kelp::store

#endif  // KELP_STORE_TOKENS_H_
