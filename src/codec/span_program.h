// Span programs: regular expressions that need no backtracking, run as a few vector scans.
//
// Log patterns are mostly made of literals and runs of one class of characters, each run ended by
// what follows it: ^(\S+) \[([^\]]+)\] "([^"]*)" (\d+|-)$. Such a pattern becomes a list of spans:
// find the end of the run, compare the literal, go on. A program only ever takes the path that
// PCRE2 would try first. If that path matches, PCRE2 would give the same match and the same
// captures. If it fails, an exact() program proves that nothing matches: every choice was forced.
// Otherwise the caller asks PCRE2.
//
// What can be compiled: literals; classes ([...], \d \D \w \W \s \S .) with quantifiers; groups,
// capturing or not, without quantifiers; alternatives in a group that begin with different
// characters; ^ first and $ last. A run must be ended by what follows: by a character outside of
// its class, or (with less certainty) by the first or last occurrence of a literal.
//
// Place:    codec/regex.h, which knows both ways.
// Threads:  immutable; Run is a pure function of its arguments.
// Tests:    regex_test.cc, regex_fuzz.cc (against PCRE2)
#ifndef KELP_CODEC_SPAN_PROGRAM_H_
#define KELP_CODEC_SPAN_PROGRAM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::codec {

// A set of bytes.
class ByteSet {
 public:
  bool Has(unsigned char c) const { return (words_[c >> 6] >> (c & 63) & 1) != 0; }
  void Add(unsigned char c) { words_[c >> 6] |= uint64_t{1} << (c & 63); }
  void AddRange(unsigned char first, unsigned char last) {
    for (unsigned c = first; c <= last; ++c) Add(static_cast<unsigned char>(c));
  }
  void AddAll(const ByteSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  void Invert() {
    for (uint64_t& word : words_) word = ~word;
  }
  bool Meets(const ByteSet& other) const {
    uint64_t common = 0;
    for (size_t i = 0; i < words_.size(); ++i) common |= words_[i] & other.words_[i];
    return common != 0;
  }
  int Count() const {
    int count = 0;
    for (const uint64_t word : words_) count += __builtin_popcountll(word);
    return count;
  }

 private:
  std::array<uint64_t, 4> words_{};
};

class SpanProgram {
 public:
  // Nothing when the pattern is beyond span programs; whether it is valid is PCRE2's to say.
  static std::optional<SpanProgram> Compile(std::string_view pattern);

  // True when the first path matches at the begin of the text. slots[2 * i] and slots[2 * i + 1]
  // are then the begin and the end of group i, nullptr when it took no part; group 0 is the match.
  // `slots` has slot_count() entries.
  bool Run(std::string_view text, const char** slots) const;

  // A false Run means that PCRE2 finds nothing either.
  bool exact() const { return exact_; }
  size_t slot_count() const { return 2 * groups_ + 1; }
  // Groups, the whole match included.
  size_t groups() const { return groups_; }

 private:
  friend class SpanCompiler;
  friend struct SpanKernels;

  enum class Kind : uint8_t {
    kLiteral,  // the bytes of literals_[literal]
    kUntil1,   // bytes up to `a`
    kUntil2,   // bytes up to `a` or `b`
    kRun,      // bytes of sets_[set]
    kFirst,    // bytes of sets_[set] up to the first literals_[literal]
    kLast,     // bytes of sets_[set] up to the last literals_[literal]
    kSave,     // where the text stands into slot `open`
    kBranch,   // goes on at `target` unless the next byte is in sets_[set]
    kJump,     // goes on at `target`
    kEnd,      // the text must end here
    kMatch,
  };
  static constexpr size_t kLiteralMax = 16;
  struct Op {
    Kind kind = Kind::kMatch;
    bool lazy = false;    // of a run that is not resolved yet
    bool at_end = false;  // kBranch: goes on behind the last byte, too
    unsigned char a = 0;
    unsigned char b = 0;
    uint16_t open = 0;  // slots before and behind a run
    uint16_t close = 0;
    uint32_t min = 0;
    uint32_t max = 0;
    uint16_t set = 0;
    uint16_t literal = 0;
    uint16_t target = 0;
  };
  struct Literal {
    char bytes[kLiteralMax] = {};
    uint32_t size = 0;
    uint32_t mask = 0;
    std::string_view text() const { return {bytes, size}; }
  };
  // A set as vector lookups want it: for each low nibble the high nibbles that are in, as bits; and
  // as bytes of 0 and 1 for plain code.
  struct SetTables {
    alignas(16) unsigned char low[16] = {};   // high nibbles 0 to 7
    alignas(16) unsigned char high[16] = {};  // high nibbles 8 to 15
    std::array<bool, 256> has{};
  };

  size_t groups_ = 1;
  bool exact_ = true;
  bool resets_ = false;  // alternatives may leave groups unset
  std::vector<Op> ops_;
  std::vector<Literal> literals_;
  std::vector<SetTables> sets_;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_SPAN_PROGRAM_H_
