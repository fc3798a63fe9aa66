// ValueTable: how often each value of a field occurs, in bounded memory.
//
// Up to kValuesMax different values are counted exactly. What comes new after that is counted
// together as "others"; how many different ones there are is then an estimate (HyperLogLog, within
// about 2 %), and so is the distribution of numbers among them (within 1 % of each value).
// Values are told apart by a 64-bit hash.
//
// Place:    FieldStatistics has one for each field and shard of the scan.
// Threads:  thread-compatible.
// Limits:   kValuesMax values, kValueBytesMax of each text kept, and the caller's memory.
// Tests:    statistics_test.cc
#ifndef KELP_QUERY_VALUE_TABLE_H_
#define KELP_QUERY_VALUE_TABLE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::query {

class ValueTable {
 public:
  // A field with more different values has no "top values" worth the name.
  static constexpr size_t kValuesMax = 64 << 10;
  // What a list of values shows of a long one.
  static constexpr size_t kValueBytesMax = 256;

  struct Entry {
    uint64_t hash = 0;
    uint64_t count = 0;  // 0: free
    std::string text;    // cut at kValueBytesMax
  };

  ValueTable() : slots_(kFirstSlots) {}

  // `memory` is what all tables of the shard may still take; it goes down.
  void Add(std::string_view value, uint64_t count, int64_t& memory);
  // Adds what another table counted.
  void Merge(const ValueTable& other, int64_t& memory);

  uint64_t count() const { return count_; }
  // Whether every value has its entry.
  bool exact() const { return others_ == 0; }
  uint64_t distinct() const;
  // Entries with a count, in no order.
  std::vector<const Entry*> entries() const;
  // Numbers among the others: bucket → how many. SketchValue gives the middle of a bucket.
  const std::map<int32_t, uint64_t>& sketch() const { return sketch_; }
  static double SketchValue(int32_t bucket);
  uint64_t sketched() const { return sketched_; }
  double sketch_sum() const { return sketch_sum_; }
  double sketch_min() const { return sketch_min_; }
  double sketch_max() const { return sketch_max_; }

 private:
  static constexpr size_t kFirstSlots = 64;
  static constexpr int kRegisterBits = 12;

  void AddHashed(uint64_t hash, std::string_view text, uint64_t count, int64_t& memory);
  void AddOther(uint64_t hash, std::string_view text, uint64_t count);
  void Estimate(uint64_t hash);
  void Grow(int64_t& memory);

  std::vector<Entry> slots_;
  size_t used_ = 0;
  uint64_t count_ = 0;
  uint64_t others_ = 0;
  std::vector<uint8_t> registers_;  // of HyperLogLog; empty while exact
  std::map<int32_t, uint64_t> sketch_;
  uint64_t sketched_ = 0;
  double sketch_sum_ = 0;
  double sketch_min_ = 0;
  double sketch_max_ = 0;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_VALUE_TABLE_H_
