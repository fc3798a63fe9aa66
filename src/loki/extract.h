// The parser stages: labels out of a line.
//
// Place:   Pipeline.
// Threads: pure but for the entry.
// Limits:  kLabelsMax; kJsonFlattenMax levels of nesting.
// Tests:   case_test.cc (tests/cases/logql), logql_fuzz.cc
#ifndef KELP_LOKI_EXTRACT_H_
#define KELP_LOKI_EXTRACT_H_

#include "codec/regex.h"
#include "loki/ast.h"
#include "loki/entry.h"

namespace kelp::loki {

// Nested objects become labels joined by '_' down to here; deeper ones are left out.
inline constexpr int kJsonFlattenMax = 16;

// Each adds labels, or __error__ when the line is not of that form.
void ExtractJson(const Stage& stage, Entry& entry);
void ExtractLogfmt(const Stage& stage, Entry& entry);
void ExtractUnpack(Entry& entry);
void ExtractRegex(codec::RegexMatcher& regex, const std::vector<std::string>& names, Entry& entry);

// The line without ANSI escape sequences.
std::string_view Decolorize(std::string_view line, TextArena& arena);

// The text of a JSON value: strings unescaped, others as they stand.
std::string_view JsonText(std::string_view value, TextArena& arena);

}  // namespace kelp::loki

#endif  // KELP_LOKI_EXTRACT_H_
