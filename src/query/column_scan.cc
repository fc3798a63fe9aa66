#include "query/column_scan.h"

#include <algorithm>
#include <vector>

#include "query/limits.h"

namespace kelp::query {
namespace {

using store::TextColumn;

// Below one row in so many, looking at the rows one by one beats searching the whole buffer.
constexpr uint32_t kSparseFactor = 8;

// Adds to `hits` the rows of `rows` whose dictionary entry is marked.
void SelectByEntry(const TextColumn& column, const std::vector<uint8_t>& marked, const Bitmap& rows,
                   Bitmap& hits) {
  const uint16_t* const ids = column.ids.data();
  for (size_t i = 0; i < rows.word_count(); ++i) {
    const uint64_t wanted = rows.word(i);
    if (wanted == 0) continue;
    const auto base = static_cast<uint32_t>(i * Bitmap::kWordBits);
    const uint32_t count = std::min(Bitmap::kWordBits, rows.rows() - base);
    uint64_t found = 0;
    for (uint32_t bit = 0; bit < count; ++bit) {
      found |= uint64_t{marked[ids[base + bit]]} << bit;
    }
    hits.word(i) |= found & wanted;
  }
}

bool Matches(const Term& term, std::string_view path, const Value& value, MatchMemory& memory) {
  return path.empty() ? ValueMatches(term, value, memory)
                      : ValueMatchesAt(term, value, path, memory);
}

void ScanDictionary(const Term& term, std::string_view path, const TextColumn& column,
                    const Bitmap& rows, MatchMemory& memory, Interrupt& interrupt, Bitmap& hits) {
  std::vector<uint8_t> marked(column.dictionary.size());
  size_t count = 0;
  for (size_t i = 0; i < marked.size(); ++i) {
    if (i % kRowsPerCheck == kRowsPerCheck - 1 && interrupt.Check()) return;
    marked[i] = Matches(term, path, column.dictionary[i], memory) ? 1 : 0;
    count += marked[i];
  }
  if (count == 0) return;
  if (count == marked.size()) {
    hits.Or(rows);
  } else {
    SelectByEntry(column, marked, rows, hits);
  }
}

void ScanRowByRow(const Term& term, std::string_view path, const TextColumn& column,
                  const Bitmap& rows, MatchMemory& memory, Interrupt& interrupt, Bitmap& hits) {
  uint32_t seen = 0;
  rows.ForEach([&](uint32_t row) {
    if (++seen % kRowsPerCheck == 0) interrupt.Check();
    if (interrupt.stopped()) return;
    if (Matches(term, path, column.Get(row), memory)) hits.Set(row);
  });
}

// Calls verify(row, text, hit) for each place in the column at which `literal` stands inside one
// value; true means that the row is done.
template <typename Verify>
void ForEachHit(const LiteralFinder& literal, const TextColumn& column, const Bitmap& rows,
                Interrupt& interrupt, Verify&& verify) {
  const std::span<const uint32_t> offsets = column.offsets;
  uint32_t row = 0;
  uint32_t seen = 0;
  size_t at = 0;
  while ((at = literal.Find(column.data, at)) != LiteralFinder::npos) {
    if (++seen % kRowsPerCheck == 0 && interrupt.Check()) return;
    if (offsets[row + 1] <= at) {
      const auto next = std::upper_bound(offsets.begin() + row + 1, offsets.end(), at);
      row = static_cast<uint32_t>(next - offsets.begin()) - 1;
    }
    const size_t begin = offsets[row], end = offsets[row + 1];
    const std::string_view text = column.data.substr(begin, end - begin);
    if (!rows.Test(row)) {
      at = end;
    } else if (at + literal.size() > end) {
      ++at;  // runs over into the next value
    } else {
      at = verify(row, text, at - begin) ? end : at + 1;
    }
  }
}

void ScanForTokens(const Term& term, const TextColumn& column, const Bitmap& rows,
                   MatchMemory& memory, Interrupt& interrupt, Bitmap& hits) {
  const TokenPattern& pattern = *term.tokens;
  ForEachHit(pattern.anchor(), column, rows, interrupt,
             [&](uint32_t row, std::string_view text, size_t hit) {
               const bool matches = pattern.MatchesAt(text, hit, memory.tokens);
               if (matches) hits.Set(row);
               return matches || pattern.decides_whole_text();
             });
}

void ScanForRegex(const Term& term, const TextColumn& column, const Bitmap& rows,
                  MatchMemory& memory, Interrupt& interrupt, Bitmap& hits) {
  ForEachHit(term.regex->literal(), column, rows, interrupt,
             [&](uint32_t row, std::string_view text, size_t) {
               if (memory.regex.Matches(*term.regex, text)) hits.Set(row);
               return true;
             });
}

void ScanPlain(const Term& term, std::string_view path, const TextColumn& column,
               const Bitmap& rows, MatchMemory& memory, Interrupt& interrupt, Bitmap& hits) {
  const bool sparse = !path.empty() || uint64_t{rows.Count()} * kSparseFactor < rows.rows();
  if (!sparse && term.kind == Term::Kind::kTokens) {
    ScanForTokens(term, column, rows, memory, interrupt, hits);
  } else if (!sparse && term.kind == Term::Kind::kRegex && !term.regex->literal().empty()) {
    ScanForRegex(term, column, rows, memory, interrupt, hits);
  } else {
    ScanRowByRow(term, path, column, rows, memory, interrupt, hits);
  }
}

}  // namespace

void ScanColumn(const Term& term, std::string_view path, const TextColumn& column,
                const Bitmap& rows, MatchMemory& memory, Interrupt& interrupt, Bitmap& hits) {
  switch (column.form) {
    case TextColumn::Form::kConstant:
      if (Matches(term, path, column.dictionary[0], memory)) hits.Or(rows);
      return;
    case TextColumn::Form::kDictionary:
      ScanDictionary(term, path, column, rows, memory, interrupt, hits);
      return;
    case TextColumn::Form::kPlain:
      ScanPlain(term, path, column, rows, memory, interrupt, hits);
      return;
  }
}

void RemovePresent(const TextColumn& column, Bitmap& rows) {
  if (column.form == TextColumn::Form::kPlain && column.kinds.empty()) {
    rows.Assign(rows.rows(), false);
  } else {
    rows.Keep([&](uint32_t row) { return column.Get(row).missing(); });
  }
}

}  // namespace kelp::query
