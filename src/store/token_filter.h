// TokenSet and the token filter of a block: which words a block may hold.
//
// Threads:  a TokenSet is confined to one thread; lookups are pure.
// Format:   docs/formats/segment.md, "Tokens and filters"
// Tests:    token_filter_test.cc
#ifndef KELP_STORE_TOKEN_FILTER_H_
#define KELP_STORE_TOKEN_FILTER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::store {

inline constexpr size_t kFilterLineBytes = 64;
inline constexpr size_t kFilterBitsPerToken = 16;

// The distinct tokens of one block, gathered by an open-addressing table: sorting them instead cost
// more than everything else in ingest together (decision 0005).
class TokenSet {
 public:
  TokenSet();
  void AddText(std::string_view text);
  size_t size() const { return hashes_.size(); }
  // Appends the filter: a multiple of kFilterLineBytes, at least one line.
  void BuildFilter(std::string& out) const;
  void Clear();

 private:
  void Add(uint64_t hash);
  void Grow();

  std::vector<uint64_t> table_;  // 0: free
  std::vector<uint64_t> hashes_;
  bool has_zero_ = false;
  std::string scratch_;
};

// False only when one of the tokens is certainly not in it.
bool FilterMayContain(std::string_view filter, std::span<const uint64_t> hashes);

}  // namespace kelp::store

#endif  // KELP_STORE_TOKEN_FILTER_H_
