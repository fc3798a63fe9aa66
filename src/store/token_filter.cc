#include "store/token_filter.h"

#include <algorithm>

#include "store/token_scan.h"

namespace kelp::store {
namespace {

// A block of 1 MiB has some 12 000 distinct tokens; the table grows for others and stays.
constexpr size_t kTableSlots = 32 << 10;
constexpr uint64_t kProbeMix = 0x9E3779B97F4A7C15ull;
constexpr int kProbes = 6;

size_t LineOf(uint64_t hash, size_t lines) {
  return static_cast<size_t>(((hash >> 32) * static_cast<uint64_t>(lines)) >> 32);
}

}  // namespace

TokenSet::TokenSet() : table_(kTableSlots) {}

void TokenSet::AddText(std::string_view text) {
  if (scratch_.size() < text.size() + 64) scratch_.resize(text.size() + 64);
  ScanTokens(text, scratch_.data(), [this](uint64_t hash) { Add(hash); });
}

inline void TokenSet::Add(uint64_t hash) {
  if (hash == 0) [[unlikely]] {  // would look like a free slot
    if (!has_zero_) hashes_.push_back(0);
    has_zero_ = true;
    return;
  }
  const size_t mask = table_.size() - 1;
  size_t slot = static_cast<size_t>(hash) & mask;
  while (table_[slot] != hash) {
    if (table_[slot] == 0) {
      table_[slot] = hash;
      hashes_.push_back(hash);
      if (hashes_.size() > table_.size() / 2) Grow();
      return;
    }
    slot = (slot + 1) & mask;
  }
}

void TokenSet::Grow() {
  table_.assign(table_.size() * 2, 0);
  const size_t mask = table_.size() - 1;
  for (const uint64_t hash : hashes_) {
    size_t slot = static_cast<size_t>(hash) & mask;
    while (table_[slot] != 0) slot = (slot + 1) & mask;
    table_[slot] = hash;
  }
}

void TokenSet::BuildFilter(std::string& out) const {
  const size_t bits = hashes_.size() * kFilterBitsPerToken;
  const size_t lines =
      std::max<size_t>(1, (bits + 8 * kFilterLineBytes - 1) / (8 * kFilterLineBytes));
  const size_t at = out.size();
  out.resize(at + lines * kFilterLineBytes, '\0');
  char* filter = out.data() + at;
  for (const uint64_t hash : hashes_) {
    char* line = filter + LineOf(hash, lines) * kFilterLineBytes;
    const uint64_t g = hash * kProbeMix;
    for (int k = 0; k < kProbes; ++k) {
      const unsigned bit = static_cast<unsigned>(g >> (9 * k)) & 511;
      line[bit >> 3] = static_cast<char>(line[bit >> 3] | 1 << (bit & 7));
    }
  }
}

void TokenSet::Clear() {
  std::fill(table_.begin(), table_.end(), 0);
  hashes_.clear();
  has_zero_ = false;
}

bool FilterMayContain(std::string_view filter, std::span<const uint64_t> hashes) {
  const size_t lines = filter.size() / kFilterLineBytes;
  if (lines == 0) return true;
  for (const uint64_t hash : hashes) {
    const char* line = filter.data() + LineOf(hash, lines) * kFilterLineBytes;
    const uint64_t g = hash * kProbeMix;
    for (int k = 0; k < kProbes; ++k) {
      const unsigned bit = static_cast<unsigned>(g >> (9 * k)) & 511;
      if ((line[bit >> 3] >> (bit & 7) & 1) == 0) return false;
    }
  }
  return true;
}

}  // namespace kelp::store
