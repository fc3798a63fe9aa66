// Template: what line_format and label_format write: Go's text/template, the part that is in use.
//
//   {{.pod}} {{ .status | ToUpper }} {{ if eq .level "error" }}!{{ else }}.{{ end }} {{__line__}}
//
// Functions: ToLower lower ToUpper upper Title title TrimSpace trim Trim TrimPrefix trimPrefix
// TrimSuffix trimSuffix Replace replace trunc substr default len eq ne contains hasPrefix hasSuffix
// add sub mul div mod int float64 printf (%s %v %d %f) __line__ __timestamp__ unixEpochNanos.
//
// Threads: immutable.
// Limits:  kTemplateOutputMax bytes come out; what is over is cut.
// Errors:  SyntaxError of Compile; a value that is no number counts as 0.
// Tests:   case_test.cc (tests/cases/logql), logql_fuzz.cc
#ifndef KELP_LOKI_TEMPLATE_H_
#define KELP_LOKI_TEMPLATE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace kelp::loki {

// A line that was formatted to more than this is of no use to anybody.
inline constexpr size_t kTemplateOutputMax = 256 << 10;

class Template {
 public:
  // What a template may ask for.
  struct Source {
    std::function<std::string_view(std::string_view label)> label;  // "" when there is none
    std::string_view line;
    UnixNanos time = 0;
  };

  // nullptr with `error`.
  static std::shared_ptr<const Template> Compile(std::string_view text, std::string& error);
  void Write(const Source& source, std::string& out) const;
  // Labels that it asks for.
  std::vector<std::string> Labels() const;
  bool uses_line() const;

  struct Node;
  Template();
  ~Template();

 private:
  std::vector<Node> nodes_;
};

}  // namespace kelp::loki

#endif  // KELP_LOKI_TEMPLATE_H_
