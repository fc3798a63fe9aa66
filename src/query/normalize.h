// Normalize: brings a parsed tree into the form that plans are made from.
//
//   NOT (a AND b)      → NOT a OR NOT b        a AND (b AND c) → a AND b AND c
//   a AND everything   → a                     a OR everything → everything
//
// Threads: a pure function. Tests: parser_test.cc
#ifndef KELP_QUERY_NORMALIZE_H_
#define KELP_QUERY_NORMALIZE_H_

#include "query/ast.h"

namespace kelp::query {

Node Normalize(Node node);

}  // namespace kelp::query

#endif  // KELP_QUERY_NORMALIZE_H_
