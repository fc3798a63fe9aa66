// Small JSON helpers of the API: reading request objects, writing answers.
#ifndef KELP_SERVER_JSON_TEXT_H_
#define KELP_SERVER_JSON_TEXT_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "sql/sql.h"

namespace kelp::server {

// The text as a JSON string with its quotes.
std::string JsonText(std::string_view text);
// As above; null when it is empty.
std::string JsonTextOrNull(std::string_view text);
// A value of a statement's result.
void AppendJsonCell(const sql::Cell& cell, std::string& out);
// ["a","b"]
std::string JsonList(const std::vector<std::string>& texts);
// RFC 3339 in quotes; null for kNoTime.
std::string JsonTime(UnixNanos time);

// The string that `value`, a JSON string with its quotes, stands for.
// REQUIRES: a value that codec::ForEachMember gave.
std::string JsonStringValue(std::string_view value);

// One member of a request's object: text, or null.
struct JsonMember {
  bool is_null = false;
  std::string text;
};

// Reads an object whose values are strings or null, and whose keys are all in `allowed`.
// Errors: kInvalidArgument, naming the key.
Result<std::map<std::string, JsonMember>> ParseRequestObject(
    std::string_view body, std::initializer_list<std::string_view> allowed);

}  // namespace kelp::server

#endif  // KELP_SERVER_JSON_TEXT_H_
