// ScanColumn: which rows of one decoded column answer one term.
//
// A constant column is asked once, a dictionary once an entry. A plain column is searched as one
// buffer for what every match contains, and only rows with a hit are looked at closely.
//
// Threads: confined to the scan's thread. Tests: search_property_test.cc, query_eval_fuzz.cc
#ifndef KELP_QUERY_COLUMN_SCAN_H_
#define KELP_QUERY_COLUMN_SCAN_H_

#include "query/ast.h"
#include "query/bitmap.h"
#include "query/interrupt.h"
#include "query/value_match.h"
#include "store/snapshot.h"

namespace kelp::query {

// Sets in `hits` the rows of `rows` whose value matches; with a path, what it reaches inside the
// value. Stops early, with some rows missing, when `interrupt` says so.
void ScanColumn(const Term& term, std::string_view path, const store::TextColumn& column,
                const Bitmap& rows, MatchMemory& memory, Interrupt& interrupt, Bitmap& hits);

// Removes from `rows` those that have a value in the column.
void RemovePresent(const store::TextColumn& column, Bitmap& rows);

}  // namespace kelp::query

#endif  // KELP_QUERY_COLUMN_SCAN_H_
