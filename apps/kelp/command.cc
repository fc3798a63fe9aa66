#include "command.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/problems.h"

namespace kelp::cli {

ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case Code::kOk:
    case Code::kCancelled:
      return kExitOk;
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kDataLoss:
      return kExitData;
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
      return kExitNoPermission;
    case Code::kResourceExhausted:
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kUnimplemented:
      return kExitUnavailable;
    case Code::kIo:
      return kExitIo;
    case Code::kInternal:
      return kExitSoftware;
  }
  return kExitSoftware;
}

int Context::Fail(ExitCode code, std::string_view message) const {
  out.Err(fmt::format("kelp: {}\n", message));
  return code;
}

int Context::Fail(const Status& status) const { return Fail(ExitCodeOf(status), status.message()); }

std::string Arguments::Get(std::string_view option) const {
  if (const auto given = options_.find(option); given != options_.end()) {
    return given->second.back();
  }
  const auto fallback = fallbacks_.find(option);
  return fallback == fallbacks_.end() ? "" : fallback->second;
}

std::vector<std::string> Arguments::GetAll(std::string_view option) const {
  const auto given = options_.find(option);
  return given == options_.end() ? std::vector<std::string>() : given->second;
}

namespace {

const OptionSpec* FindOption(const Command& command, std::string_view name) {
  for (const OptionSpec& option : command.options) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

const OptionSpec* FindLetter(const Command& command, char letter) {
  for (const OptionSpec& option : command.options) {
    if (option.letter != 0 && option.letter == letter) return &option;
  }
  return nullptr;
}

Status UnknownOption(const Command& command, std::string_view word) {
  std::string message = fmt::format("unknown option {}", word);
  std::vector<std::string_view> names = {"help"};
  for (const OptionSpec& option : command.options) names.push_back(option.name);
  if (word.starts_with("--")) {
    const std::string_view nearest = config::NearestName(word.substr(2), names);
    if (!nearest.empty()) message += fmt::format("; did you mean --{}?", nearest);
  }
  return InvalidArgumentError(std::move(message));
}

Status CheckChoice(const OptionSpec& option, const std::string& value) {
  const auto& choices = option.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) {
    return OkStatus();
  }
  return InvalidArgumentError(fmt::format("--{} takes one of {}, not \"{}\"", option.name,
                                          fmt::join(choices, ", "), value));
}

// An option as it stands in one word: which one, and the value glued to it.
struct Word {
  const OptionSpec* option = nullptr;
  std::optional<std::string> value;
};

Result<Word> ReadOption(const Command& command, const std::string& word) {
  Word read;
  if (word.starts_with("--")) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    read.option = FindOption(command, std::string_view(name).substr(2));
    if (equals != std::string::npos) read.value = word.substr(equals + 1);
    if (read.option == nullptr) return UnknownOption(command, name);
  } else {
    read.option = FindLetter(command, word[1]);
    if (word.size() > 2) read.value = word.substr(2);
    if (read.option == nullptr) return UnknownOption(command, word.substr(0, 2));
  }
  if (read.option->value.empty() && read.value) {
    return InvalidArgumentError(fmt::format("--{} takes no value", read.option->name));
  }
  return read;
}

Status CheckCount(const Command& command, size_t count) {
  if (count >= command.positional_min && count <= command.positional_max) return OkStatus();
  const std::string usage = fmt::format("usage: kelp {} {}", command.name, command.positional);
  return InvalidArgumentError(
      (count < command.positional_min ? "something is missing; " : "too many words; ") + usage);
}

}  // namespace

Result<Arguments> ParseArguments(const Command& command, const std::vector<std::string>& words) {
  Arguments arguments;
  for (const OptionSpec& option : command.options) {
    if (!option.fallback.empty()) arguments.fallbacks_[option.name] = option.fallback;
  }
  bool only_positional = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_positional || word.size() < 2 || word[0] != '-') {
      arguments.positional_.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positional = true;
      continue;
    }
    ASSIGN_OR_RETURN(Word read, ReadOption(command, word));
    if (!read.option->value.empty() && !read.value) {
      if (i + 1 == words.size()) {
        return InvalidArgumentError(
            fmt::format("--{} needs a value: {}", read.option->name, read.option->value));
      }
      read.value = words[++i];
    }
    const std::string value = read.value.value_or("");
    if (!read.option->value.empty()) RETURN_IF_ERROR(CheckChoice(*read.option, value));
    arguments.options_[read.option->name].push_back(value);
  }
  RETURN_IF_ERROR(CheckCount(command, arguments.positional_.size()));
  return arguments;
}

namespace {

std::string OptionHead(const OptionSpec& option) {
  std::string head = option.letter != 0 ? fmt::format("-{}, ", option.letter) : "    ";
  head += "--" + option.name;
  if (!option.value.empty()) head += " " + option.value;
  return head;
}

std::string OptionDoc(const OptionSpec& option) {
  std::string doc = option.doc;
  if (!option.choices.empty()) doc += fmt::format(" One of {}.", fmt::join(option.choices, ", "));
  if (!option.fallback.empty()) doc += fmt::format(" Default: {}.", option.fallback);
  return doc;
}

}  // namespace

std::string HelpText(const Command& command) {
  std::string out =
      fmt::format("kelp {}: {}\n\nUsage: kelp {}{}{}\n\n{}\n", command.name, command.summary,
                  command.name, command.options.empty() ? "" : " [OPTIONS]",
                  command.positional.empty() ? "" : " " + command.positional, command.doc);
  if (!command.options.empty()) out += "\nOptions:\n";
  size_t width = 0;
  for (const OptionSpec& option : command.options) {
    width = std::max(width, OptionHead(option).size());
  }
  for (const OptionSpec& option : command.options) {
    out += fmt::format("  {:<{}}  {}\n", OptionHead(option), width, OptionDoc(option));
  }
  if (!command.examples.empty()) out += "\nExamples:\n";
  for (const Example& example : command.examples) {
    out += fmt::format("  # {}\n  {}\n", example.doc, example.command);
  }
  return out;
}

}  // namespace kelp::cli
