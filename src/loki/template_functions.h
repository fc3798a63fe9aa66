// Functions of line_format and label_format templates, by name.
//
// Threads: pure. Tests: case_test.cc (tests/cases/logql), logql_fuzz.cc
#ifndef KELP_LOKI_TEMPLATE_FUNCTIONS_H_
#define KELP_LOKI_TEMPLATE_FUNCTIONS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::loki {

struct Computed {
  std::string text;
  bool truth = false;  // what {{if}} takes it for
};
Computed TextValue(std::string text);

struct TemplateFunction {
  std::string_view name;
  size_t least;  // arguments
  size_t most;
  Computed (*run)(const std::vector<std::string>& arguments);
};
// nullptr: there is none of that name.
const TemplateFunction* FindTemplateFunction(std::string_view name);

}  // namespace kelp::loki

#endif  // KELP_LOKI_TEMPLATE_FUNCTIONS_H_
