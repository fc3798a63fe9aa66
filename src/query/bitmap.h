// Bitmap: which rows of a block, one bit each.
//
// Threads: a value; thread-compatible.
#ifndef KELP_QUERY_BITMAP_H_
#define KELP_QUERY_BITMAP_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kelp::query {

class Bitmap {
 public:
  static constexpr uint32_t kWordBits = 64;

  Bitmap() = default;
  Bitmap(uint32_t rows, bool value) { Assign(rows, value); }

  void Assign(uint32_t rows, bool value) {
    rows_ = rows;
    words_.assign((rows + kWordBits - 1) / kWordBits, value ? ~uint64_t{0} : 0);
    const uint32_t rest = rows % kWordBits;
    if (value && rest != 0) words_.back() = (uint64_t{1} << rest) - 1;
  }

  uint32_t rows() const { return rows_; }
  bool Test(uint32_t row) const { return (words_[row / kWordBits] >> (row % kWordBits) & 1) != 0; }
  void Set(uint32_t row) { words_[row / kWordBits] |= uint64_t{1} << (row % kWordBits); }
  uint64_t& word(size_t i) { return words_[i]; }
  uint64_t word(size_t i) const { return words_[i]; }
  size_t word_count() const { return words_.size(); }

  bool Any() const {
    for (const uint64_t word : words_) {
      if (word != 0) return true;
    }
    return false;
  }
  uint32_t Count() const {
    int count = 0;
    for (const uint64_t word : words_) count += std::popcount(word);
    return static_cast<uint32_t>(count);
  }

  // REQUIRES of the three: as many rows.
  void And(const Bitmap& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  }
  void AndNot(const Bitmap& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
  }
  void Or(const Bitmap& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }

  // Calls f(row) for each row that is set, in order.
  template <typename F>
  void ForEach(F&& f) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        f(static_cast<uint32_t>(i * kWordBits + static_cast<size_t>(std::countr_zero(word))));
      }
    }
  }

  // Keeps the rows that are set and for which keep(row) gives true; looks at set rows only.
  template <typename F>
  void Keep(F&& keep) {
    for (size_t i = 0; i < words_.size(); ++i) {
      uint64_t kept = 0;
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        const auto bit = static_cast<uint32_t>(std::countr_zero(word));
        kept |= uint64_t{keep(static_cast<uint32_t>(i * kWordBits) + bit)} << bit;
      }
      words_[i] = kept;
    }
  }

 private:
  uint32_t rows_ = 0;
  std::vector<uint64_t> words_;  // bits past rows_ are zero
};

}  // namespace kelp::query

#endif  // KELP_QUERY_BITMAP_H_
