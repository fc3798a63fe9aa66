#include "cli.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/problems.h"

namespace kelp::cli {

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = {
      AgentsLedgerCommand(),
      AnalyzeContextCommand(),
      AnalyzeExplainCommand(),
      AnalyzeFieldsCommand(),
      AnalyzePatternsCommand(),
      CheckpointsListCommand(),
      CheckpointsRemoveCommand(),
      CheckpointsSetCommand(),
      CompletionCommand(),
      ConfigTestCommand(),
      ConfigValidateCommand(),
      DescribeCommand(),
      ExportCommand(),
      LogsCommand(),
      SchemaCommand(),
      SqlCommand(),
      TapCommand(),
      UpCommand(),
  };
  return commands;
}

namespace {

// The words of a command's name that `words` begins with; 0 when it does not.
size_t NameWords(const Command& command, const std::vector<std::string>& words) {
  const size_t space = command.name.find(' ');
  if (space == std::string::npos) return words[0] == command.name ? 1 : 0;
  const bool both = words.size() > 1 && words[0] == command.name.substr(0, space) &&
                    words[1] == command.name.substr(space + 1);
  return both ? 2 : 0;
}

// Commands whose names begin with this word: "config" stands before several.
std::vector<const Command*> Group(const std::string& word) {
  std::vector<const Command*> group;
  for (const Command& command : Commands()) {
    if (command.name.starts_with(word + " ")) group.push_back(&command);
  }
  return group;
}

std::string List(const std::vector<const Command*>& commands) {
  std::string out;
  for (const Command* command : commands) {
    out += fmt::format("  {:<18} {}\n", command->name, command->summary);
  }
  return out;
}

bool AsksForHelp(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

int UnknownCommand(const std::vector<std::string>& words, const Context& context) {
  const auto group = Group(words[0]);
  const bool help = words.size() == 1 || words[1] == "--help" || words[1] == "-h";
  if (!group.empty() && help) {
    const std::string text = "Usage:\n" + List(group);
    if (words.size() > 1) {
      context.out.Out(text);
      return kExitOk;
    }
    context.out.Err(text);
    return kExitUsage;
  }
  std::vector<std::string_view> names;
  for (const Command& command : Commands()) names.push_back(command.name);
  const std::string given =
      group.empty() || words.size() < 2 ? words[0] : words[0] + " " + words[1];
  const std::string_view nearest = config::NearestName(given, names);
  std::string message = fmt::format("there is no command \"{}\"", given);
  message += nearest.empty() ? "; see kelp --help" : fmt::format("; did you mean \"{}\"?", nearest);
  return context.Fail(kExitUsage, message);
}

int RunCommand(const Command& command, std::vector<std::string> words, const Context& context) {
  if (AsksForHelp(words)) {
    context.out.Out(HelpText(command));
    return kExitOk;
  }
  const Result<Arguments> arguments = ParseArguments(command, words);
  if (!arguments.ok()) {
    return context.Fail(kExitUsage, fmt::format("{} (see kelp {} --help)",
                                                arguments.status().message(), command.name));
  }
  const int code = command.run(arguments.value(), context);
  context.out.Flush();
  return code;
}

}  // namespace

std::string OverviewText() {
  std::vector<const Command*> all;
  for (const Command& command : Commands()) all.push_back(&command);
  return "kelp: collects the logs of a machine or a cluster and searches them\n\n"
         "Usage: kelp COMMAND [OPTIONS]\n\nCommands:\n" +
         List(all) +
         "\nkelp COMMAND --help explains one of them. kelp --version prints the version.\n\n"
         "Exit codes: 0 done, 1 checked and found different, 64 wrong command line, 65 wrong "
         "input,\n"
         "69 server or agent not available, 70 a bug, 74 reading or writing failed, 77 not "
         "allowed,\n"
         "78 wrong configuration.\n";
}

int Run(const std::vector<std::string>& words, const Context& context) {
  if (words.empty()) {
    context.out.Err(OverviewText());
    return kExitUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || (words[0] == "help" && words.size() == 1)) {
    context.out.Out(OverviewText());
    return kExitOk;
  }
  if (words[0] == "help") {
    std::vector<std::string> rest(words.begin() + 1, words.end());
    rest.emplace_back("--help");
    return Run(rest, context);
  }
  if (words[0] == "--version") {
    context.out.Out("kelp " + context.version + "\n");
    return kExitOk;
  }
  for (const Command& command : Commands()) {
    const size_t count = NameWords(command, words);
    if (count == 0) continue;
    const auto rest = words.begin() + static_cast<std::ptrdiff_t>(count);
    return RunCommand(command, {rest, words.end()}, context);
  }
  return UnknownCommand(words, context);
}

std::string CliMarkdown() {
  std::string out =
      "# kelp\n\nThe command line program. `kelp COMMAND --help` prints what this page says.\n\n";
  for (const Command& command : Commands()) {
    std::string anchor = "kelp-" + command.name;
    std::replace(anchor.begin(), anchor.end(), ' ', '-');
    out += fmt::format("- [`kelp {}`](#{}): {}\n", command.name, anchor, command.summary);
  }
  for (const Command& command : Commands()) {
    out += fmt::format("\n## kelp {}\n\n```text\n{}```\n", command.name, HelpText(command));
  }
  return out;
}

}  // namespace kelp::cli
