#include "codec/span_compiler.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kelp::codec {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Adds \d, \w, \s or the complement of one; false for any other letter.
bool NamedSet(char name, ByteSet& out) {
  ByteSet set;
  switch (name) {
    case 'd':
    case 'D':
      set.AddRange('0', '9');
      break;
    case 'w':
    case 'W':
      set.AddRange('0', '9');
      set.AddRange('a', 'z');
      set.AddRange('A', 'Z');
      set.Add('_');
      break;
    case 's':
    case 'S':
      set.AddRange('\t', '\r');
      set.Add(' ');
      break;
    default:
      return false;
  }
  if (name < 'a') set.Invert();
  out.AddAll(set);
  return true;
}

// The byte that a backslash and this character stand for; false when it is no single byte.
bool SingleEscape(char c, unsigned char& byte) {
  constexpr std::pair<char, char> kControls[] = {
      {'t', '\t'}, {'n', '\n'}, {'r', '\r'}, {'f', '\f'}};
  for (const auto& [name, value] : kControls) {
    if (c != name) continue;
    byte = static_cast<unsigned char>(value);
    return true;
  }
  // Other letters mean something to PCRE2; bytes that are no ASCII are left to it too.
  if (IsAlnum(c) || static_cast<unsigned char>(c) >= 0x80) return false;
  byte = static_cast<unsigned char>(c);
  return true;
}

}  // namespace

bool SpanCompiler::Take(std::string_view text) {
  if (!pattern_.substr(at_).starts_with(text)) return false;
  at_ += text.size();
  return true;
}

// --- parsing ---

bool SpanCompiler::ParseSequence(size_t nesting) {
  while (!at_end() && peek() != ')' && peek() != '|') {
    if (program_.ops_.size() > kOpsMax) return false;
    if (peek() == '$' && nesting == 0 && at_ + 1 == pattern_.size()) {
      ++at_;
      program_.ops_.push_back({.kind = Kind::kEnd});
      return true;
    }
    if (!(peek() == '(' ? ParseGroup(nesting) : ParseItem())) return false;
  }
  return true;
}

bool SpanCompiler::ParseItem() {
  constexpr std::string_view kReserved = "^$*+?{|()";
  ByteSet set;
  if (peek() == '[') {
    ++at_;
    if (!ParseClass(set)) return false;
  } else if (Take("\\")) {
    if (!ParseEscape(set)) return false;
  } else if (Take(".")) {
    set.Add('\n');
    set.Invert();
  } else {
    if (kReserved.find(peek()) != std::string_view::npos) return false;
    set.Add(static_cast<unsigned char>(pattern_[at_++]));
  }
  Quantifier quantifier;
  if (!ParseQuantifier(quantifier)) return false;
  if (quantifier.min == 1 && quantifier.max == 1 && set.Count() == 1) {
    for (unsigned c = 0; c < 256; ++c) {
      if (set.Has(static_cast<unsigned char>(c))) AddLiteral(static_cast<unsigned char>(c));
    }
  } else {
    AddRun(set, quantifier);
  }
  return true;
}

bool SpanCompiler::ParseGroup(size_t nesting) {
  bool captures = false;
  if (nesting == kNestingMax || !ParseGroupHead(captures)) return false;
  mergeable_ = false;
  uint16_t slot = 0;
  if (captures) {
    if (program_.groups_ > kGroupsMax) return false;
    slot = static_cast<uint16_t>(2 * program_.groups_++);
    program_.ops_.push_back({.kind = Kind::kSave, .open = slot});
  }
  if (!ParseAlternatives(nesting + 1) || !Take(")")) return false;
  if (captures) {
    program_.ops_.push_back({.kind = Kind::kSave, .open = static_cast<uint16_t>(slot + 1)});
  }
  mergeable_ = false;
  constexpr std::string_view kQuantifiers = "*+?{";
  return at_end() || kQuantifiers.find(peek()) == std::string_view::npos;
}

bool SpanCompiler::ParseGroupHead(bool& captures) {
  captures = true;
  ++at_;
  if (peek() == '*') return false;
  if (!Take("?")) return true;
  if (Take(":")) {
    captures = false;
    return true;
  }
  const bool named = Take("P<") || Take("<");
  if (!named || peek() == '=' || peek() == '!') return false;
  const size_t end = pattern_.find('>', at_);
  if (end == std::string_view::npos) return false;
  at_ = end + 1;
  return true;
}

bool SpanCompiler::ParseAlternatives(size_t nesting) {
  auto& ops = program_.ops_;
  std::vector<size_t> jumps;
  for (;;) {
    // Becomes a branch when another alternative follows.
    const size_t begin = ops.size();
    ops.push_back({.kind = Kind::kJump, .target = static_cast<uint16_t>(begin + 1)});
    mergeable_ = false;
    if (!ParseSequence(nesting)) return false;
    if (ops.size() > kOpsMax) return false;
    if (!Take("|")) break;
    program_.resets_ = true;
    jumps.push_back(ops.size());
    ops.push_back({.kind = Kind::kJump});
    ops[begin].kind = Kind::kBranch;
    ops[begin].target = static_cast<uint16_t>(ops.size());
  }
  for (const size_t jump : jumps) ops[jump].target = static_cast<uint16_t>(ops.size());
  mergeable_ = false;
  return true;
}

bool SpanCompiler::ParseEscape(ByteSet& set) {
  if (at_end()) return false;
  const char c = pattern_[at_++];
  if (NamedSet(c, set)) return true;
  unsigned char byte = 0;
  if (!SingleEscape(c, byte)) return false;
  set.Add(byte);
  return true;
}

bool SpanCompiler::ParseClass(ByteSet& set) {
  const bool inverted = Take("^");
  bool first = true;
  while (first || peek() != ']') {
    if (at_end() || !ParseClassItem(set)) return false;
    first = false;
  }
  ++at_;
  if (inverted) set.Invert();
  return true;
}

bool SpanCompiler::ParseClassItem(ByteSet& set) {
  bool single = false;
  unsigned char low = 0;
  if (!ParseClassChar(set, single, low)) return false;
  const bool dash = peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
  if (!dash) {
    if (single) set.Add(low);
    return true;
  }
  ++at_;
  bool single_end = false;
  unsigned char high = 0;
  if (!single || !ParseClassChar(set, single_end, high) || !single_end || high < low) return false;
  set.AddRange(low, high);
  return true;
}

bool SpanCompiler::ParseClassChar(ByteSet& set, bool& single, unsigned char& c) {
  if (at_end()) return false;
  const char first = pattern_[at_++];
  single = true;
  c = static_cast<unsigned char>(first);
  if (first == '[') return peek() != ':' && peek() != '.' && peek() != '=';
  if (first != '\\') return true;
  if (at_end()) return false;
  const char escaped = pattern_[at_++];
  if (NamedSet(escaped, set)) {
    single = false;
    return true;
  }
  return SingleEscape(escaped, c);
}

bool SpanCompiler::ParseQuantifier(Quantifier& quantifier) {
  switch (peek()) {
    case '*':
      quantifier = {.min = 0, .max = kUnlimited};
      break;
    case '+':
      quantifier = {.min = 1, .max = kUnlimited};
      break;
    case '?':
      quantifier = {.min = 0, .max = 1};
      break;
    case '{':
      ++at_;
      if (!ParseNumber(quantifier.min)) return false;
      quantifier.max = quantifier.min;
      if (Take(",")) {
        quantifier.max = kUnlimited;
        if (peek() != '}' && !ParseNumber(quantifier.max)) return false;
      }
      if (peek() != '}' || quantifier.max < quantifier.min) return false;
      break;
    default:
      return true;
  }
  ++at_;
  quantifier.lazy = Take("?");
  quantifier.possessive = !quantifier.lazy && Take("+");
  return true;
}

bool SpanCompiler::ParseNumber(uint32_t& number) {
  constexpr uint32_t kPcreMax = 65'535;
  number = 0;
  const size_t begin = at_;
  while (IsDigit(peek()) && number <= kPcreMax) {
    number = number * 10 + static_cast<uint32_t>(pattern_[at_++] - '0');
  }
  return at_ != begin && number <= kPcreMax;
}

void SpanCompiler::AddLiteral(unsigned char c) {
  auto& literals = program_.literals_;
  if (!mergeable_ || literals.back().size == SpanProgram::kLiteralMax) {
    program_.ops_.push_back(
        {.kind = Kind::kLiteral, .literal = static_cast<uint16_t>(literals.size())});
    literals.emplace_back();
  }
  SpanProgram::Literal& literal = literals.back();
  literal.bytes[literal.size++] = static_cast<char>(c);
  literal.mask = (1u << literal.size) - 1;
  mergeable_ = true;
}

void SpanCompiler::AddRun(const ByteSet& set, const Quantifier& quantifier) {
  mergeable_ = false;
  possessive_.resize(program_.ops_.size() + 1);
  possessive_.back() = quantifier.possessive;
  program_.ops_.push_back({.kind = Kind::kRun,
                           .lazy = quantifier.lazy,
                           .min = quantifier.min,
                           .max = quantifier.max,
                           .set = AddSet(set)});
}

uint16_t SpanCompiler::AddSet(const ByteSet& set) {
  SpanProgram::SetTables tables;
  for (unsigned c = 0; c < 256; ++c) {
    if (!set.Has(static_cast<unsigned char>(c))) continue;
    tables.has[c] = true;
    const unsigned high = c >> 4;
    auto& row = high < 8 ? tables.low[c & 15] : tables.high[c & 15];
    row = static_cast<unsigned char>(row | 1u << (high & 7));
  }
  sets_.push_back(set);
  program_.sets_.push_back(tables);
  return static_cast<uint16_t>(sets_.size() - 1);
}

// --- deciding ---

const SpanCompiler::Next& SpanCompiler::NextAt(size_t i) {
  if (const auto it = next_.find(i); it != next_.end()) return it->second;
  const Op& op = program_.ops_[i];
  Next next;
  switch (op.kind) {
    case Kind::kLiteral:
      next.first.Add(static_cast<unsigned char>(program_.literals_[op.literal].bytes[0]));
      break;
    case Kind::kSave:
      next = NextAt(i + 1);
      break;
    case Kind::kJump:
      next = NextAt(op.target);
      break;
    case Kind::kBranch: {
      next = NextAt(i + 1);
      const Next& other = NextAt(op.target);
      next.first.AddAll(other.first);
      next.match |= other.match;
      next.end |= other.end;
      break;
    }
    case Kind::kEnd:
      next.end = true;
      break;
    case Kind::kMatch:
      next.match = true;
      break;
    default:
      if (op.max != 0) next.first = sets_[op.set];
      if (op.min == 0) {
        const Next& rest = NextAt(i + 1);
        next.first.AddAll(rest.first);
        next.match |= rest.match;
        next.end |= rest.end;
      }
  }
  return next_[i] = next;
}

// A branch is forced when its alternatives begin with different bytes.
bool SpanCompiler::ResolveBranches() {
  for (size_t i = 0; i < program_.ops_.size(); ++i) {
    if (program_.ops_[i].kind != Kind::kBranch) continue;
    const Next first = NextAt(i + 1);
    const Next other = NextAt(program_.ops_[i].target);
    if (first.match || first.first.Meets(other.first)) return false;
    // Where the first alternative fails halfway, nothing at all may still do.
    if (other.match || (first.end && other.end)) program_.exact_ = false;
    program_.ops_[i].at_end = first.end;
    program_.ops_[i].set = AddSet(first.first);
  }
  return true;
}

bool SpanCompiler::FollowedByLiteral(size_t i, uint16_t& literal) const {
  for (++i; program_.ops_[i].kind == Kind::kSave || program_.ops_[i].kind == Kind::kJump;) {
    i = program_.ops_[i].kind == Kind::kJump ? program_.ops_[i].target : i + 1;
  }
  literal = program_.ops_[i].literal;
  return program_.ops_[i].kind == Kind::kLiteral;
}

bool SpanCompiler::ResolveRun(size_t i) {
  Op& op = program_.ops_[i];
  if (op.min == op.max) return true;
  const Next next = NextAt(i + 1);
  const bool meets = sets_[op.set].Meets(next.first);
  const bool possessive = i < possessive_.size() && possessive_[i];
  if (!meets && !(op.lazy && next.match)) return true;
  if (possessive) return false;
  if (op.lazy && !meets) {  // nothing must come behind it: PCRE2 stops as soon as it may
    op.max = op.min;
    program_.exact_ = false;
    return true;
  }
  program_.exact_ = false;
  uint16_t literal = 0;
  if (op.max == kUnlimited && FollowedByLiteral(i, literal)) {
    op.kind = op.lazy ? Kind::kFirst : Kind::kLast;
    op.literal = literal;
    return true;
  }
  // PCRE2 first tries all that a greedy run can take; a lazy one would rarely be right at once.
  return !op.lazy;
}

bool SpanCompiler::ResolveRuns() {
  // Next sets do not depend on how runs are scanned, so each is computed before kinds change.
  for (size_t i = 0; i < program_.ops_.size(); ++i) NextAt(i);
  for (size_t i = 0; i < program_.ops_.size(); ++i) {
    if (program_.ops_[i].kind == Kind::kRun && !ResolveRun(i)) return false;
  }
  return true;
}

void SpanCompiler::ChooseScan(Op& op) const {
  if (op.kind != Kind::kRun) return;
  ByteSet outside = sets_[op.set];
  outside.Invert();
  const int count = outside.Count();
  if (count != 1 && count != 2) return;
  unsigned char bytes[2] = {};
  size_t found = 0;
  for (unsigned c = 0; c < 256; ++c) {
    if (outside.Has(static_cast<unsigned char>(c))) bytes[found++] = static_cast<unsigned char>(c);
  }
  op.kind = count == 1 ? Kind::kUntil1 : Kind::kUntil2;
  op.a = bytes[0];
  op.b = bytes[1];
}

// Lets runs fill the slots around them, and drops the jumps that only go to the next op.
void SpanCompiler::FuseSaves() {
  const std::vector<Op> ops = std::move(program_.ops_);
  std::vector<bool> is_target(ops.size() + 1);
  const auto useless = [&](size_t i) {
    return ops[i].kind == Kind::kJump && ops[i].target == i + 1;
  };
  for (size_t i = 0; i < ops.size(); ++i) {
    const bool jumps = ops[i].kind == Kind::kJump || ops[i].kind == Kind::kBranch;
    if (jumps && !useless(i)) is_target[ops[i].target] = true;
  }
  std::vector<Op> fused;
  std::vector<uint16_t> moved(ops.size() + 1);
  const auto is_run = [](const Op& op) {
    return op.kind == Kind::kRun || op.kind == Kind::kUntil1 || op.kind == Kind::kUntil2 ||
           op.kind == Kind::kFirst || op.kind == Kind::kLast;
  };
  const auto nothing = static_cast<uint16_t>(2 * program_.groups_);
  for (size_t i = 0; i < ops.size(); ++i) {
    moved[i] = static_cast<uint16_t>(fused.size());
    if (useless(i)) continue;
    Op op = ops[i];
    if (is_run(op)) {
      op.open = op.close = nothing;
      const bool opened = !fused.empty() && fused.back().kind == Kind::kSave && !is_target[i] &&
                          moved[i] == fused.size();
      const bool closed = i + 1 < ops.size() && ops[i + 1].kind == Kind::kSave && !is_target[i + 1];
      if (opened && closed) {
        op.open = fused.back().open;
        op.close = ops[i + 1].open;
        fused.back() = op;
        moved[i] = moved[i + 1] = static_cast<uint16_t>(fused.size() - 1);
        ++i;
        continue;
      }
    }
    fused.push_back(op);
  }
  for (Op& op : fused) op.target = moved[op.target];
  program_.ops_ = std::move(fused);
}

std::optional<SpanProgram> SpanCompiler::Compile() {
  anchored_ = Take("^");
  if (!ParseSequence(0) || !at_end()) return std::nullopt;
  program_.ops_.push_back({.kind = Kind::kMatch});
  if (!ResolveBranches() || !ResolveRuns()) return std::nullopt;
  program_.exact_ = program_.exact_ && anchored_;
  for (Op& op : program_.ops_) ChooseScan(op);
  FuseSaves();
  return std::move(program_);
}

}  // namespace kelp::codec
