#include "loki/template_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "loki/lexer.h"
#include "loki/template.h"

namespace kelp::loki {
namespace {

Computed Truth(bool truth) { return {truth ? "true" : "false", truth}; }
Computed NumberValue(double number) {
  const bool whole = std::floor(number) == number && std::abs(number) < 1e15;
  return {whole ? fmt::format("{:.0f}", number) : fmt::format("{}", number), number != 0};
}
double AsNumber(const std::string& text) { return ReadNumber(text).value_or(0); }
size_t AsCount(const std::string& text) {
  const double number = AsNumber(text);
  return number > 0 ? static_cast<size_t>(std::min(number, 1e9)) : 0;
}

std::string MapCase(std::string text, bool upper) {
  for (char& c : text) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}
std::string TrimOf(std::string_view text, std::string_view set) {
  const size_t begin = text.find_first_not_of(set);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(set) - begin + 1));
}
std::string ReplaceAll(const std::string& text, const std::string& from, const std::string& to,
                       size_t count) {
  if (from.empty()) return text;
  std::string out;
  size_t at = 0;
  for (; count > 0 && out.size() < kTemplateOutputMax; --count) {
    const size_t found = text.find(from, at);
    if (found == std::string::npos) break;
    out += text.substr(at, found - at) + to;
    at = found + from.size();
  }
  return out + text.substr(at);
}
// %s %v %d %f %q %% and a precision; what is not known stays as it is.
std::string Printf(const std::vector<std::string>& a) {
  std::string out;
  size_t next = 1;
  const std::string& format = a[0];
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    size_t end = i + 1;
    while (end < format.size() && (std::isdigit(static_cast<unsigned char>(format[end])) != 0 ||
                                   format[end] == '.' || format[end] == '-')) {
      ++end;
    }
    const char kind = end < format.size() ? format[end] : '%';
    if (kind == '%') {
      out += '%';
    } else if (next >= a.size()) {
      out += "%!" + std::string(1, kind) + "(MISSING)";
    } else if (kind == 'f') {
      const size_t dot = format.find('.', i);
      const int digits = dot < end ? static_cast<int>(std::min<size_t>(
                                         AsCount(format.substr(dot + 1, end - dot - 1)), 20))
                                   : 6;
      out += fmt::format("{:.{}f}", AsNumber(a[next++]), digits);
    } else if (kind == 'd') {
      out += NumberValue(std::trunc(AsNumber(a[next++]))).text;
    } else if (kind == 'q') {
      out += '"' + a[next++] + '"';
    } else {
      out += a[next++];
    }
    i = end;
  }
  return out;
}

using Arguments = std::vector<std::string>;
using Function = TemplateFunction;
constexpr std::string_view kSpace = " \t\r\n\v\f";

Computed Substr(const Arguments& a) {
  const size_t begin = std::min(AsCount(a[0]), a[2].size());
  const double last = AsNumber(a[1]);
  const size_t end = last < 0 ? a[2].size() : std::min(AsCount(a[1]), a[2].size());
  return TextValue(end > begin ? a[2].substr(begin, end - begin) : "");
}
Computed Trunc(const Arguments& a) {
  const double count = AsNumber(a[0]);
  if (count >= 0) return TextValue(a[1].substr(0, AsCount(a[0])));
  const auto keep = static_cast<size_t>(std::min(-count, 1e9));
  return TextValue(a[1].size() > keep ? a[1].substr(a[1].size() - keep) : a[1]);
}
Computed TrimPrefix(const std::string& fix, const std::string& text) {
  return TextValue(text.starts_with(fix) ? text.substr(fix.size()) : text);
}
Computed TrimSuffix(const std::string& fix, const std::string& text) {
  return TextValue(text.ends_with(fix) ? text.substr(0, text.size() - fix.size()) : text);
}
Computed Title(const Arguments& a) {
  std::string text = a[0];
  if (!text.empty()) text.replace(0, 1, MapCase(text.substr(0, 1), true));
  return TextValue(std::move(text));
}
Computed Divide(const Arguments& a) {
  const double by = AsNumber(a[1]);
  return NumberValue(by == 0 ? 0 : std::trunc(AsNumber(a[0]) / by));
}
Computed Modulo(const Arguments& a) {
  const double by = AsNumber(a[1]);
  return NumberValue(by == 0 ? 0 : std::fmod(AsNumber(a[0]), by));
}

}  // namespace

Computed TextValue(std::string text) {
  const bool truth = !text.empty();
  return {std::move(text), truth};
}

const TemplateFunction* FindTemplateFunction(std::string_view name) {
  static constexpr size_t kMany = 16;
  static const std::array<Function, 41> functions{{
      {"ToLower", 1, 1, [](const Arguments& a) { return TextValue(MapCase(a[0], false)); }},
      {"lower", 1, 1, [](const Arguments& a) { return TextValue(MapCase(a[0], false)); }},
      {"ToUpper", 1, 1, [](const Arguments& a) { return TextValue(MapCase(a[0], true)); }},
      {"upper", 1, 1, [](const Arguments& a) { return TextValue(MapCase(a[0], true)); }},
      {"Title", 1, 1, Title},
      {"title", 1, 1, Title},
      {"TrimSpace", 1, 1, [](const Arguments& a) { return TextValue(TrimOf(a[0], kSpace)); }},
      {"trim", 1, 1, [](const Arguments& a) { return TextValue(TrimOf(a[0], kSpace)); }},
      {"Trim", 2, 2, [](const Arguments& a) { return TextValue(TrimOf(a[0], a[1])); }},
      {"trimAll", 2, 2, [](const Arguments& a) { return TextValue(TrimOf(a[1], a[0])); }},
      {"TrimPrefix", 2, 2, [](const Arguments& a) { return TrimPrefix(a[1], a[0]); }},
      {"trimPrefix", 2, 2, [](const Arguments& a) { return TrimPrefix(a[0], a[1]); }},
      {"TrimSuffix", 2, 2, [](const Arguments& a) { return TrimSuffix(a[1], a[0]); }},
      {"trimSuffix", 2, 2, [](const Arguments& a) { return TrimSuffix(a[0], a[1]); }},
      {"Replace", 4, 4,
       [](const Arguments& a) {
         const bool all = AsNumber(a[3]) < 0;
         return TextValue(ReplaceAll(a[0], a[1], a[2], all ? SIZE_MAX : AsCount(a[3])));
       }},
      {"replace", 3, 3,
       [](const Arguments& a) { return TextValue(ReplaceAll(a[2], a[0], a[1], SIZE_MAX)); }},
      {"trunc", 2, 2, Trunc},
      {"substr", 3, 3, Substr},
      {"default", 2, 2, [](const Arguments& a) { return TextValue(a[1].empty() ? a[0] : a[1]); }},
      {"len", 1, 1,
       [](const Arguments& a) { return NumberValue(static_cast<double>(a[0].size())); }},
      {"eq", 2, 2, [](const Arguments& a) { return Truth(a[0] == a[1]); }},
      {"ne", 2, 2, [](const Arguments& a) { return Truth(a[0] != a[1]); }},
      {"gt", 2, 2, [](const Arguments& a) { return Truth(AsNumber(a[0]) > AsNumber(a[1])); }},
      {"ge", 2, 2, [](const Arguments& a) { return Truth(AsNumber(a[0]) >= AsNumber(a[1])); }},
      {"lt", 2, 2, [](const Arguments& a) { return Truth(AsNumber(a[0]) < AsNumber(a[1])); }},
      {"le", 2, 2, [](const Arguments& a) { return Truth(AsNumber(a[0]) <= AsNumber(a[1])); }},
      {"contains", 2, 2,
       [](const Arguments& a) { return Truth(a[1].find(a[0]) != std::string::npos); }},
      {"hasPrefix", 2, 2, [](const Arguments& a) { return Truth(a[1].starts_with(a[0])); }},
      {"hasSuffix", 2, 2, [](const Arguments& a) { return Truth(a[1].ends_with(a[0])); }},
      {"add", 2, 2,
       [](const Arguments& a) { return NumberValue(AsNumber(a[0]) + AsNumber(a[1])); }},
      {"addf", 2, 2,
       [](const Arguments& a) { return NumberValue(AsNumber(a[0]) + AsNumber(a[1])); }},
      {"sub", 2, 2,
       [](const Arguments& a) { return NumberValue(AsNumber(a[0]) - AsNumber(a[1])); }},
      {"subf", 2, 2,
       [](const Arguments& a) { return NumberValue(AsNumber(a[0]) - AsNumber(a[1])); }},
      {"mul", 2, 2,
       [](const Arguments& a) { return NumberValue(AsNumber(a[0]) * AsNumber(a[1])); }},
      {"mulf", 2, 2,
       [](const Arguments& a) { return NumberValue(AsNumber(a[0]) * AsNumber(a[1])); }},
      {"div", 2, 2, Divide},
      {"divf", 2, 2,
       [](const Arguments& a) {
         const double by = AsNumber(a[1]);
         return NumberValue(by == 0 ? 0 : AsNumber(a[0]) / by);
       }},
      {"mod", 2, 2, Modulo},
      {"int", 1, 1, [](const Arguments& a) { return NumberValue(std::trunc(AsNumber(a[0]))); }},
      {"float64", 1, 1, [](const Arguments& a) { return NumberValue(AsNumber(a[0])); }},
      {"printf", 1, kMany, [](const Arguments& a) { return TextValue(Printf(a)); }},
  }};
  for (const Function& function : functions) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

}  // namespace kelp::loki
