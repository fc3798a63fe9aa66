// Prefilter: what a selector and its first stages ask for, as a query that the store's filters
// understand. It lets every row through that the LogQL query may want, and possibly more: what
// comes out is looked at again by Pipeline.
//
// Positive conditions on labels, `|=` and `|~` become terms that skip blocks; a line filter looks
// at the body and at all fields, since a row without a body shows those. Negative conditions are
// translated where that lets nothing wanted go; comparisons with numbers are not.
//
// Threads: a pure function.
// Tests:   case_test.cc: with and without it, answers are the same
#ifndef KELP_LOKI_PREFILTER_H_
#define KELP_LOKI_PREFILTER_H_

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "loki/ast.h"
#include "query/query.h"

namespace kelp::loki {

// Names of tags and fields in the store by the label that they become.
struct KnownNames {
  std::map<std::string, std::set<std::string>, std::less<>> tags;
  std::map<std::string, std::set<std::string>, std::less<>> fields;
};
// Of the blocks that touch [from, to).
KnownNames NamesIn(const store::Snapshot& snapshot, UnixNanos from, UnixNanos to);

// nullptr: nothing can match.
std::shared_ptr<const query::Query> MakePrefilter(std::span<const Matcher> selector,
                                                  std::span<const Stage> stages,
                                                  const KnownNames& names);

}  // namespace kelp::loki

#endif  // KELP_LOKI_PREFILTER_H_
