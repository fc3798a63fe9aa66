// The `kelp` program: its table of subcommands and what happens with a command line.
//
// Tests: cli_test.cc
#ifndef KELP_APPS_KELP_CLI_H_
#define KELP_APPS_KELP_CLI_H_

#include <string>
#include <vector>

#include "command.h"

namespace kelp::cli {

// All subcommands, sorted by name.
const std::vector<Command>& Commands();

// Runs one command line (without the program's name); the exit code.
int Run(const std::vector<std::string>& words, const Context& context);

// `kelp --help`.
std::string OverviewText();

// docs/reference/cli.md.
std::string CliMarkdown();

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_CLI_H_
