// SummariseNumbers: the distribution of the numbers among a field's values.
//
// Threads: a pure function. Tests: statistics_test.cc
#ifndef KELP_QUERY_NUMBER_SUMMARY_H_
#define KELP_QUERY_NUMBER_SUMMARY_H_

#include <optional>
#include <vector>

#include "query/field_statistics.h"
#include "query/value_table.h"

namespace kelp::query {

// As many bars as a field list has room for.
inline constexpr size_t kNumberBuckets = 20;

// nullopt when fewer than half of the values are numbers.
std::optional<NumberStats> SummariseNumbers(const ValueTable& table,
                                            const std::vector<const ValueTable::Entry*>& entries);

}  // namespace kelp::query

#endif  // KELP_QUERY_NUMBER_SUMMARY_H_
