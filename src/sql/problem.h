// Problem: an error that may point at a byte of what a user wrote.
#ifndef KELP_SQL_PROBLEM_H_
#define KELP_SQL_PROBLEM_H_

#include <cstddef>
#include <optional>

#include "base/status.h"

namespace kelp::sql {

struct Problem {
  Status status;
  std::optional<size_t> position;
};

}  // namespace kelp::sql

#endif  // KELP_SQL_PROBLEM_H_
