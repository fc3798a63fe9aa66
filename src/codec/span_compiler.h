// Compiles a pattern to a SpanProgram, or finds that it cannot be one. See span_program.h.
//
// Threads: used once, by one thread.
#ifndef KELP_CODEC_SPAN_COMPILER_H_
#define KELP_CODEC_SPAN_COMPILER_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/span_program.h"

namespace kelp::codec {

class SpanCompiler {
 public:
  explicit SpanCompiler(std::string_view pattern) : pattern_(pattern) {}
  std::optional<SpanProgram> Compile();

 private:
  using Op = SpanProgram::Op;
  using Kind = SpanProgram::Kind;

  // Patterns beyond these are left to PCRE2.
  static constexpr size_t kOpsMax = 1024;
  static constexpr size_t kGroupsMax = 200;
  static constexpr size_t kNestingMax = 16;
  static constexpr uint32_t kUnlimited = UINT32_MAX;

  // How a run may end.
  struct Quantifier {
    uint32_t min = 1;
    uint32_t max = 1;
    bool lazy = false;
    bool possessive = false;
  };
  // What can come next at a place of the program.
  struct Next {
    ByteSet first;
    bool end = false;    // the end of the text can
    bool match = false;  // nothing more need come
  };

  // Parsing: each appends ops, false when the pattern is beyond us.
  bool ParseSequence(size_t nesting);
  bool ParseItem();
  bool ParseGroup(size_t nesting);
  bool ParseGroupHead(bool& captures);
  bool ParseAlternatives(size_t nesting);
  bool ParseSet(ByteSet& set);
  bool ParseClass(ByteSet& set);
  bool ParseClassItem(ByteSet& set);
  bool ParseClassChar(ByteSet& set, bool& single, unsigned char& c);
  bool ParseEscape(ByteSet& set);
  bool ParseQuantifier(Quantifier& quantifier);
  bool ParseNumber(uint32_t& number);

  void AddLiteral(unsigned char c);
  void AddRun(const ByteSet& set, const Quantifier& quantifier);
  uint16_t AddSet(const ByteSet& set);
  bool at_end() const { return at_ == pattern_.size(); }
  char peek() const { return at_end() ? '\0' : pattern_[at_]; }
  bool Take(std::string_view text);

  // Deciding: how each run ends.
  bool ResolveBranches();
  bool ResolveRuns();
  bool ResolveRun(size_t i);
  bool FollowedByLiteral(size_t i, uint16_t& literal) const;
  const Next& NextAt(size_t i);
  void ChooseScan(Op& op) const;
  void FuseSaves();

  std::string_view pattern_;
  size_t at_ = 0;
  bool anchored_ = false;
  bool mergeable_ = false;  // the last op is a literal that may grow
  SpanProgram program_;
  std::vector<ByteSet> sets_;
  std::vector<bool> possessive_;  // by op
  std::map<size_t, Next> next_;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_SPAN_COMPILER_H_
