#include "loki/template.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "loki/lexer.h"
#include "loki/template_functions.h"

namespace kelp::loki {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";
// Braces inside one another in one template.
constexpr int kTemplateDepthMax = 16;
// Actions of one template; each runs for each row.
constexpr size_t kTemplateActionsMax = 256;

struct Argument;
struct Command {
  std::string function;  // empty: the one argument itself
  std::vector<Argument> arguments;
};
using Pipe = std::vector<Command>;
struct Argument {
  enum class Kind : uint8_t { kLabel, kText, kPipe };
  Kind kind = Kind::kText;
  std::string text;
  Pipe pipe;
};

// Functions without arguments, answered from the row.
bool IsRowFunction(std::string_view name) {
  return name == "__line__" || name == "__timestamp__" || name == "unixEpochNanos";
}

Computed RunPipe(const Pipe& pipe, const Template::Source& source);

Computed RunArgument(const Argument& argument, const Template::Source& source) {
  switch (argument.kind) {
    case Argument::Kind::kLabel:
      return TextValue(std::string(source.label(argument.text)));
    case Argument::Kind::kText:
      return TextValue(argument.text);
    case Argument::Kind::kPipe:
      return RunPipe(argument.pipe, source);
  }
  return {};
}

Computed RunPipe(const Pipe& pipe, const Template::Source& source) {
  std::optional<Computed> last;
  for (const Command& command : pipe) {
    if (command.function == "__line__") {
      last = TextValue(std::string(source.line));
    } else if (command.function == "__timestamp__") {
      last = TextValue(FormatRfc3339(source.time));
    } else if (command.function == "unixEpochNanos") {
      last = TextValue(std::to_string(source.time));
    } else if (command.function.empty()) {
      last = RunArgument(command.arguments[0], source);
    } else {
      std::vector<std::string> arguments;
      for (const Argument& argument : command.arguments) {
        arguments.push_back(RunArgument(argument, source).text);
      }
      if (last) arguments.push_back(std::move(last->text));
      last = FindTemplateFunction(command.function)->run(arguments);
    }
  }
  return last.value_or(Computed{});
}

void AddLabels(const Pipe& pipe, std::vector<std::string>& out, bool& line) {
  for (const Command& command : pipe) {
    line = line || command.function == "__line__";
    for (const Argument& argument : command.arguments) {
      if (argument.kind == Argument::Kind::kLabel) out.push_back(argument.text);
      AddLabels(argument.pipe, out, line);
    }
  }
}

}  // namespace

struct Template::Node {
  std::string text;        // when `pipe` is empty
  Pipe pipe;               // what is written, or the condition
  bool condition = false;  // {{if}}
  std::vector<Node> then;  // with condition
  std::vector<Node> otherwise;
};

Template::Template() = default;
Template::~Template() = default;

namespace {

// Reads the text of a template.
class Compiler {
 public:
  Compiler(std::string_view text, std::string& error) : text_(text), error_(error) {}

  bool Run(std::vector<Template::Node>& out) {
    std::string end;
    if (!Nodes(out, 0, end)) return false;
    return end.empty() || Fail("unexpected {{" + end + "}}");
  }

 private:
  bool Fail(std::string why) {
    if (error_.empty()) error_ = std::move(why);
    return false;
  }

  // Up to the end, or to {{else}} or {{end}}, which goes into `stop`.
  bool Nodes(std::vector<Template::Node>& out, int depth, std::string& stop) {
    if (depth > kTemplateDepthMax) return Fail("nested too deeply");
    while (at_ < text_.size()) {
      const size_t open = std::min(text_.find("{{", at_), text_.size());
      std::string_view text = text_.substr(at_, open - at_);
      if (trim_next_) text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
      trim_next_ = false;
      if (open < text_.size() && text_.substr(open + 2, 2) == "- ") {
        text = text.substr(0, text.find_last_not_of(kSpace) + 1);
      }
      if (!text.empty()) out.push_back({std::string(text), {}, false, {}, {}});
      at_ = open;
      if (open == text_.size()) break;
      std::string_view action;
      if (!TakeAction(action)) return false;
      if (action == "end" || action == "else") {
        stop = action;
        return true;
      }
      if (action.empty() || action.starts_with("/*")) continue;
      if (!Action(action, out, depth)) return false;
    }
    return true;
  }

  bool TakeAction(std::string_view& action) {
    if (++actions_ > kTemplateActionsMax) return Fail("too many {{…}}");
    size_t close = at_ + 2;
    char quote = 0;
    for (; close + 1 < text_.size(); ++close) {
      const char c = text_[close];
      if (quote != 0) {
        if (c == '\\' && quote == '"') {
          ++close;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '"' || c == '`') {
        quote = c;
      } else if (c == '}' && text_[close + 1] == '}') {
        break;
      }
    }
    if (close + 1 >= text_.size()) return Fail("{{ is not closed");
    action = text_.substr(at_ + 2, close - at_ - 2);
    if (action.starts_with("- ")) action.remove_prefix(1);
    if (action.ends_with(" -")) {
      action.remove_suffix(1);
      trim_next_ = true;
    }
    const size_t begin = std::min(action.find_first_not_of(kSpace), action.size());
    action.remove_prefix(begin);
    action = action.substr(0, action.find_last_not_of(kSpace) + 1);
    at_ = close + 2;
    return true;
  }

  bool Action(std::string_view action, std::vector<Template::Node>& out, int depth) {
    Template::Node node;
    if (action.starts_with("if ")) {
      node.condition = true;
      action.remove_prefix(3);
    } else if (action.starts_with("else if ")) {
      return Fail("{{else if}} is not supported; put an {{if}} into the {{else}}");
    } else if (action.starts_with("range ") || action.starts_with("with ") ||
               action.starts_with("define ") || action.starts_with("$")) {
      return Fail("{{" + std::string(action.substr(0, action.find(' '))) + "}} is not supported");
    }
    if (!ParsePipe(action, node.pipe, depth + 1)) return false;
    if (node.condition) {
      std::string stop;
      if (!Nodes(node.then, depth + 1, stop)) return false;
      if (stop == "else" && !Nodes(node.otherwise, depth + 1, stop)) return false;
      if (stop != "end") return Fail("{{if}} has no {{end}}");
    }
    out.push_back(std::move(node));
    return true;
  }

  bool ParsePipe(std::string_view& rest, Pipe& out, int depth) {
    if (depth > kTemplateDepthMax) return Fail("nested too deeply");
    do {
      Command command;
      if (!ParseCommand(rest, command, depth)) return false;
      if (const TemplateFunction* function = FindTemplateFunction(command.function)) {
        const size_t count = command.arguments.size() + (out.empty() ? 0 : 1);
        if (count < function->least || count > function->most) {
          return Fail("wrong number of arguments for " + command.function);
        }
      } else if (!out.empty()) {
        return Fail("only functions can follow '|'");
      }
      out.push_back(std::move(command));
    } while (TakePunctuation(rest, '|'));
    Skip(rest);
    if (!rest.empty() && rest[0] != ')') {
      return Fail("unexpected \"" + std::string(rest.substr(0, 20)) + "\"");
    }
    return true;
  }

  bool ParseCommand(std::string_view& rest, Command& out, int depth) {
    Skip(rest);
    if (!rest.empty() &&
        (std::isalpha(static_cast<unsigned char>(rest[0])) != 0 || rest[0] == '_')) {
      out.function = TakeWord(rest);
      if (FindTemplateFunction(out.function) == nullptr && !IsRowFunction(out.function)) {
        return Fail("function \"" + out.function + "\" not defined");
      }
      while (true) {
        Skip(rest);
        if (rest.empty() || rest[0] == '|' || rest[0] == ')') return true;
        if (IsRowFunction(out.function)) return Fail(out.function + " takes no arguments");
        if (!ParseArgument(rest, out.arguments.emplace_back(), depth)) return false;
      }
    }
    return ParseArgument(rest, out.arguments.emplace_back(), depth);
  }

  bool ParseArgument(std::string_view& rest, Argument& out, int depth) {
    Skip(rest);
    if (rest.empty()) return Fail("missing value");
    if (rest[0] == '(') {
      rest.remove_prefix(1);
      out.kind = Argument::Kind::kPipe;
      if (!ParsePipe(rest, out.pipe, depth + 1)) return false;
      return TakePunctuation(rest, ')') || Fail("unclosed '('");
    }
    if (rest[0] == '.') {
      rest.remove_prefix(1);
      out.kind = Argument::Kind::kLabel;
      out.text = TakeWord(rest);
      return !out.text.empty() || Fail("\".\" needs the name of a label");
    }
    if (std::isalpha(static_cast<unsigned char>(rest[0])) != 0 || rest[0] == '_') {
      const std::string word = TakeWord(rest);
      if (!IsRowFunction(word)) return Fail("unexpected \"" + word + "\"");
      out.kind = Argument::Kind::kPipe;
      out.pipe.push_back({word, {}});
      return true;
    }
    if (rest[0] == '"' || rest[0] == '`') return ParseText(rest, out);
    const size_t size = std::min(rest.find_first_of(" |)\t\n"), rest.size());
    out.text = rest.substr(0, size);
    rest.remove_prefix(size);
    return ReadNumber(out.text).has_value() || Fail("unexpected \"" + out.text + "\"");
  }

  bool ParseText(std::string_view& rest, Argument& out) {
    Lexer lexer(rest);
    const Token token = lexer.Next();
    if (token.kind != Token::Kind::kString) return Fail(token.text);
    out.text = token.text;
    const char quote = rest[0];
    size_t end = 1;
    while (end < rest.size() && rest[end] != quote)
      end += quote == '"' && rest[end] == '\\' ? 2 : 1;
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return true;
  }

  static void Skip(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
  }
  static bool TakePunctuation(std::string_view& rest, char c) {
    Skip(rest);
    if (rest.empty() || rest[0] != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  static std::string TakeWord(std::string_view& rest) {
    size_t size = 0;
    while (size < rest.size() &&
           (std::isalnum(static_cast<unsigned char>(rest[size])) != 0 || rest[size] == '_')) {
      ++size;
    }
    std::string word(rest.substr(0, size));
    rest.remove_prefix(size);
    return word;
  }

  std::string_view text_;
  std::string& error_;
  size_t at_ = 0;
  size_t actions_ = 0;
  bool trim_next_ = false;
};

void WriteNodes(const std::vector<Template::Node>& nodes, const Template::Source& source,
                std::string& out) {
  for (const Template::Node& node : nodes) {
    if (out.size() > kTemplateOutputMax) return;
    if (node.pipe.empty()) {
      out += node.text;
    } else if (node.condition) {
      WriteNodes(RunPipe(node.pipe, source).truth ? node.then : node.otherwise, source, out);
    } else {
      out += RunPipe(node.pipe, source).text;
    }
  }
}

void CollectLabels(const std::vector<Template::Node>& nodes, std::vector<std::string>& out,
                   bool& line) {
  for (const Template::Node& node : nodes) {
    AddLabels(node.pipe, out, line);
    CollectLabels(node.then, out, line);
    CollectLabels(node.otherwise, out, line);
  }
}

}  // namespace

std::shared_ptr<const Template> Template::Compile(std::string_view text, std::string& error) {
  auto out = std::make_shared<Template>();
  if (!Compiler(text, error).Run(out->nodes_)) return nullptr;
  return out;
}

void Template::Write(const Source& source, std::string& out) const {
  WriteNodes(nodes_, source, out);
  if (out.size() > kTemplateOutputMax) out.resize(kTemplateOutputMax);
}

std::vector<std::string> Template::Labels() const {
  std::vector<std::string> out;
  bool line = false;
  CollectLabels(nodes_, out, line);
  return out;
}

bool Template::uses_line() const {
  std::vector<std::string> labels;
  bool line = false;
  CollectLabels(nodes_, labels, line);
  return line;
}

}  // namespace kelp::loki
