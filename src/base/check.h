// CHECK and DCHECK: for what cannot happen. A failed CHECK prints where and why, and aborts, in
// release builds too. DCHECK is for hot loops and is compiled out when NDEBUG is set.
#ifndef KELP_BASE_CHECK_H_
#define KELP_BASE_CHECK_H_

#include <string_view>

namespace kelp {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view message);
}  // namespace kelp

// CHECK(condition, message): the message is evaluated only on failure.
#define CHECK(condition, message)                                     \
  do {                                                                \
    if (!(condition)) [[unlikely]]                                    \
      ::kelp::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)

#ifdef NDEBUG
#define DCHECK(condition, message) \
  do {                             \
  } while (false)
#else
#define DCHECK(condition, message) CHECK(condition, message)
#endif

#endif  // KELP_BASE_CHECK_H_
