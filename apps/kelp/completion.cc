// `kelp completion`: shell scripts that complete commands and options from the table.
#include <fmt/format.h>

#include <set>

#include "cli.h"

namespace kelp::cli {
namespace {

std::string OptionWords(const Command& command) {
  std::string out = "--help";
  for (const OptionSpec& option : command.options) out += " --" + option.name;
  return out;
}

// First words, and for each the second words where a name has two.
std::string FirstWords() {
  std::set<std::string> words = {"help", "--help", "--version"};
  for (const Command& command : Commands()) {
    words.insert(command.name.substr(0, command.name.find(' ')));
  }
  return fmt::format("{}", fmt::join(words, " "));
}

std::string SecondWords(const std::string& first) {
  std::string out;
  for (const Command& command : Commands()) {
    if (command.name.starts_with(first + " ")) out += command.name.substr(first.size() + 1) + " ";
  }
  return out;
}

std::string Bash() {
  std::string cases;
  for (const Command& command : Commands()) {
    cases += fmt::format("    \"{}\"*) words=\"{}\" ;;\n", command.name, OptionWords(command));
  }
  return fmt::format(R"(# bash completion for kelp; load it with: source <(kelp completion bash)
_kelp() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" line="${{COMP_WORDS[*]:1}}" words=""
  case "$COMP_CWORD:${{COMP_WORDS[1]}}" in
    1:*) COMPREPLY=($(compgen -W "{}" -- "$current")); return ;;
    2:config) COMPREPLY=($(compgen -W "{}" -- "$current")); return ;;
    2:completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$current")); return ;;
    2:describe) COMPREPLY=($(compgen -W "input processor output pipeline agent" -- "$current")); return ;;
  esac
  case "$line" in
{}  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}}
complete -o filenames -F _kelp kelp
)",
                     FirstWords(), SecondWords("config"), cases);
}

std::string Zsh() {
  return "#compdef kelp\n# zsh completion for kelp; load it with: source <(kelp completion zsh)\n"
         "autoload -Uz bashcompinit && bashcompinit\n" +
         Bash();
}

std::string FishQuoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string Fish() {
  std::string out = "# fish completion for kelp; load it with: kelp completion fish | source\n";
  std::set<std::string> groups;
  for (const Command& command : Commands()) {
    const size_t space = command.name.find(' ');
    const std::string first = command.name.substr(0, space);
    std::string seen = "__fish_seen_subcommand_from " + first;
    if (space == std::string::npos) {
      out += fmt::format("complete -c kelp -f -n __fish_use_subcommand -a {} -d {}\n", first,
                         FishQuoted(command.summary));
    } else {
      const std::string second = command.name.substr(space + 1);
      if (groups.insert(first).second) {
        out += fmt::format("complete -c kelp -f -n __fish_use_subcommand -a {}\n", first);
      }
      out += fmt::format("complete -c kelp -n {} -a {} -d {}\n", FishQuoted(seen), second,
                         FishQuoted(command.summary));
      seen += "; and __fish_seen_subcommand_from " + second;
    }
    for (const OptionSpec& option : command.options) {
      out += fmt::format(
          "complete -c kelp -n {} -l {}{}{}{} -d {}\n", FishQuoted(seen), option.name,
          option.letter != 0 ? fmt::format(" -s {}", option.letter) : "",
          option.value.empty() ? "" : " -r",
          option.choices.empty() ? "" : fmt::format(" -f -a '{}'", fmt::join(option.choices, " ")),
          FishQuoted(option.doc));
    }
  }
  return out;
}

int Complete(const Arguments& arguments, const Context& context) {
  const std::string& shell = arguments.positional()[0];
  if (shell == "bash") {
    context.out.Out(Bash());
  } else if (shell == "zsh") {
    context.out.Out(Zsh());
  } else if (shell == "fish") {
    context.out.Out(Fish());
  } else {
    return context.Fail(kExitUsage, "completion is there for bash, zsh and fish");
  }
  return kExitOk;
}

}  // namespace

Command CompletionCommand() {
  return {
      .name = "completion",
      .positional = "bash|zsh|fish",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "prints a completion script for a shell",
      .doc = "The script completes commands and options.",
      .examples = {{"source <(kelp completion bash)", "for this shell"},
                   {"kelp completion fish > ~/.config/fish/completions/kelp.fish", "for good"}},
      .run = Complete,
  };
}

}  // namespace kelp::cli
