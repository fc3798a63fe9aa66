// What the commands that ask the server for rows have in common: which logstore, which span of
// time.
//
// Tests: query_commands_test.cc
#ifndef KELP_APPS_KELP_QUERY_OPTIONS_H_
#define KELP_APPS_KELP_QUERY_OPTIONS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "remote.h"

namespace kelp::cli {

// --since, --until, --project, --logstore, and ServerOptions().
std::vector<OptionSpec> QueryOptions(const std::string& since_default);

// A duration before now, or a time, as the API takes it ("-1h"); "" for "now" and nothing.
// Errors: kInvalidArgument naming the option.
Result<std::string> TimeParameter(const std::string& text, const char* option);

// A call about rows: where it goes and what it is about.
struct QueryCall {
  std::string path;   // /api/v1/projects/P/logstores/L
  std::string query;  // as sent
  std::string from;
  std::string to;

  // path/call?q=…&from=…&to=…&…
  std::string Target(const std::string& call,
                     std::vector<std::pair<std::string, std::string>> more = {}) const;
};
// Of the options above, and of the first positional word, which is the query.
Result<QueryCall> MakeCall(const Arguments& arguments);

// Calls the server once and prints what comes: --output json as it is, else by `print`. Says on
// standard error when the answer is not whole. The exit code.
int PrintAnswer(const Arguments& arguments, const Context& context, const QueryCall& call,
                const std::string& target,
                const std::function<std::string(std::string_view)>& print);

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_QUERY_OPTIONS_H_
