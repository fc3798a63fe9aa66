// The shape of a subcommand: a row of a table, from which come dispatch, --help, completion and the
// reference page docs/reference/cli.md.
#ifndef KELP_APPS_KELP_COMMAND_H_
#define KELP_APPS_KELP_COMMAND_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "pipeline/registry.h"

namespace kelp::cli {

// What scripts may rely on; the numbers are those of sysexits.h.
enum ExitCode : int {
  kExitOk = 0,
  kExitDiffers = 1,       // the command worked; what it checked is not as expected
  kExitUsage = 64,        // the command line is wrong
  kExitData = 65,         // the input or the query is wrong
  kExitUnavailable = 69,  // the server or the agent cannot be reached, or refuses for now
  kExitSoftware = 70,     // a bug of ours
  kExitIo = 74,           // reading or writing failed
  kExitNoPermission = 77,
  kExitConfig = 78,  // a configuration is wrong
};
ExitCode ExitCodeOf(const Status& status);

// Where a command writes. Threads: thread-compatible.
class Printer {
 public:
  virtual ~Printer() = default;
  virtual void Out(std::string_view text) = 0;  // results, standard output
  virtual void Err(std::string_view text) = 0;  // messages, standard error
  virtual void Flush() {}
};

// What a command works with; everything outlives the call.
struct Context {
  Env& env;
  Printer& out;
  const pipeline::Registry& registry;
  // An environment variable, or nothing when it is not set.
  std::function<std::optional<std::string>(const std::string&)> variable;
  std::string version;
  // The directory of this program's file, where its siblings are.
  std::string program_dir;

  // "kelp: message" on standard error; returns the exit code.
  int Fail(ExitCode code, std::string_view message) const;
  int Fail(const Status& status) const;
};

struct OptionSpec {
  std::string name;   // "since": given as --since
  char letter = 0;    // 's': also given as -s
  std::string value;  // "DURATION"; empty: a flag
  std::string doc;
  std::string fallback = {};              // what stands in when it is not given; part of the help
  std::vector<std::string> choices = {};  // the values that are possible
};

struct Example {
  std::string command;
  std::string doc;
};

// A parsed command line.
class Arguments {
 public:
  bool Has(std::string_view option) const { return options_.find(option) != options_.end(); }
  // The value given last, or the option's fallback, or "".
  std::string Get(std::string_view option) const;
  // Every value given, in order.
  std::vector<std::string> GetAll(std::string_view option) const;
  const std::vector<std::string>& positional() const { return positional_; }

 private:
  friend Result<Arguments> ParseArguments(const struct Command& command,
                                          const std::vector<std::string>& words);
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  std::map<std::string, std::string, std::less<>> fallbacks_;
  std::vector<std::string> positional_;
};

struct Command {
  std::string name;        // "logs", "config validate"
  std::string positional;  // "QUERY", "[KIND [NAME]]"; for the usage line
  size_t positional_min = 0;
  size_t positional_max = 0;
  std::string summary;  // one line, for the list of commands
  std::string doc;      // what it does, how it ends; paragraphs
  std::vector<OptionSpec> options = {};
  std::vector<Example> examples = {};
  std::function<int(const Arguments&, const Context&)> run = nullptr;
};

// Accepts --name value, --name=value, -n value, -nvalue, and -- before words that begin with a
// dash. Errors: kInvalidArgument naming the word, and the nearest option when there is one.
Result<Arguments> ParseArguments(const Command& command, const std::vector<std::string>& words);

// `kelp COMMAND --help`.
std::string HelpText(const Command& command);

// One function per file; cli.cc puts them into the table.
Command AgentsLedgerCommand();
Command AnalyzeContextCommand();
Command AnalyzeExplainCommand();
Command AnalyzeFieldsCommand();
Command AnalyzePatternsCommand();
Command CheckpointsListCommand();
Command CheckpointsRemoveCommand();
Command CheckpointsSetCommand();
Command CompletionCommand();
Command ConfigTestCommand();
Command ConfigValidateCommand();
Command DescribeCommand();
Command ExportCommand();
Command LogsCommand();
Command SchemaCommand();
Command SqlCommand();
Command TapCommand();
Command UpCommand();

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_COMMAND_H_
