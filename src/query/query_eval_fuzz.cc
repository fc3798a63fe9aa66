// The fast ways to evaluate a query against the plain one.
//
// Input: query text up to the first newline, then bytes that decide the rows and their blocks.
#include <cstdio>
#include <cstdlib>

#include "query/parser.h"
#include "query/query_testing.h"

namespace kelp::query {
namespace {

// Chance that is read from the input; zeros when it is used up.
class InputChance final : public testing::Chance {
 public:
  explicit InputChance(std::string_view bytes) : Chance(0), bytes_(bytes) {}
  uint64_t Below(uint64_t n) override {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(bytes_[0]);
    bytes_.remove_prefix(1);
    return byte % n;
  }
  bool used_up() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

void Fail(std::string_view what, std::string_view text, const testing::TestRow& row) {
  std::fprintf(stderr, "%.*s differs for %.*s on %s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(text.size()), text.data(), testing::JsonOf(row).c_str());
  std::abort();
}

void Run(std::string_view text, InputChance chance) {
  ParseError error;
  const std::optional<Tree> tree = ParseTree(text, error);
  const std::shared_ptr<const Query> query = Parse(text, error);
  if (query == nullptr) return;
  constexpr size_t kRowsMax = 40;
  std::vector<testing::TestRow> rows;
  while (!chance.used_up() && rows.size() < kRowsMax) {
    rows.push_back(testing::RandomRow(chance));
    rows.back().offset = rows.size();
    rows.back().time = 0;
  }
  testing::MemorySnapshot snapshot;
  const size_t block = 1 + rows.size() / 3;
  for (size_t i = 0; i < rows.size(); i += block) {
    testing::BlockOptions options;
    options.dictionary_max = i % 3;
    const auto begin = rows.begin() + static_cast<ptrdiff_t>(i);
    snapshot.Add({begin, begin + static_cast<ptrdiff_t>(std::min(block, rows.size() - i))},
                 options);
  }
  const Result<SearchResult> result = Search(snapshot, *query, {});
  if (!result.ok() || !result->partial.empty()) return;  // a pattern that takes too long
  std::set<uint64_t> found;
  for (const Row& row : result->rows) found.insert(row.offset);
  LiveMatcher matcher(query);
  for (const testing::TestRow& row : rows) {
    const bool expected = PlainMatches(*tree, row);
    if (found.contains(row.offset) != expected) Fail("Search", text, row);
    bool live = false;
    matcher.Match(*testing::BatchOf(row), [&](uint32_t) { live = true; });
    if (live != expected) Fail("LiveMatcher", text, row);
  }
}

}  // namespace
}  // namespace kelp::query

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t newline = input.find('\n');
  if (newline == std::string_view::npos) return 0;
  kelp::query::Run(input.substr(0, newline), kelp::query::InputChance(input.substr(newline + 1)));
  return 0;
}
