// JSON path: the values that a dotted name reaches inside a JSON object.
//
//   AnyAt(R"({"a":{"b":[1,{"c":2}]}})", "a.b.c", scratch, f)     // f(the JSON value 2)
//
// A name may be cut into keys at any of its dots; arrays on the way are gone through, each element
// with the same rest of the name. Strings come unescaped, everything else as its JSON text. Text
// that is no JSON is read as far as it makes sense.
//
// Threads: confined to one; `scratch` is working memory.
// Limits:  kJsonDepthMax levels; what is deeper is not looked at.
// Tests:   tests/cases/query/json.case, query_eval_fuzz.cc
#ifndef KELP_QUERY_JSON_PATH_H_
#define KELP_QUERY_JSON_PATH_H_

#include <functional>
#include <string>
#include <string_view>

#include "batch/batch.h"

namespace kelp::query {

// Deeper nesting is not what anybody names in a query.
inline constexpr int kJsonDepthMax = 32;

// Calls found(value) for each value reached, until it says true; whether it did.
bool AnyAt(std::string_view json, std::string_view path, std::string& scratch,
           const std::function<bool(const Value&)>& found);

}  // namespace kelp::query

#endif  // KELP_QUERY_JSON_PATH_H_
