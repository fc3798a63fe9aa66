// Status and Result<T>: how Kelp says that the world refused (house rule: our own code returns and
// does not throw). Shaped like absl::Status / absl::StatusOr, so that a later switch is textual.
//
//   Result<File> Open(const std::string& path);
//   Status Load(const std::string& path) {
//     ASSIGN_OR_RETURN(File file, Open(path));
//     RETURN_IF_ERROR(file.Check().Annotate("cannot load " + path));
//     return OkStatus();
//   }
//
// Threads: values; thread-compatible.
#ifndef KELP_BASE_STATUS_H_
#define KELP_BASE_STATUS_H_

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace kelp {

// The code tells the caller what to do, not what happened inside.
enum class Code : int {
  kOk = 0,
  kCancelled,          // the caller, or a stop, asked for it
  kInvalidArgument,    // the request or the input is wrong; never retry as it is
  kNotFound,           // what was named does not exist
  kAlreadyExists,      // what was to be made exists, or another process holds it
  kPermissionDenied,   // rights are missing; an operator must act
  kUnauthenticated,    // no identity, or a wrong one
  kResourceExhausted,  // a limit or the disk is full; retry later
  kUnavailable,        // the peer is not there now; retry with back-off
  kDeadlineExceeded,   // a time limit passed
  kDataLoss,           // stored bytes are corrupt or missing
  kIo,                 // the operating system failed an operation on a file or a socket
  kUnimplemented,      // valid, but not offered
  kInternal,           // a bug of ours
};

const char* CodeName(Code code);

// An outcome: OK, or a code and a message that reads well to an operator: what was attempted, on
// what, what the system said. One pointer in size; OK allocates nothing.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message);
  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  bool ok() const { return rep_ == nullptr; }
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  // Empty when ok.
  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : ""; }
  // "kind: message", for logs and terminals; "ok" when ok.
  std::string ToString() const;
  // True when the same call may succeed later without anybody changing the request.
  bool retryable() const;
  // Puts "context: " before the message; nothing when ok. For the way up.
  Status Annotate(std::string_view context) const&;
  // Says in the source that an error is deliberately left alone.
  void IgnoreError() const {}

 private:
  struct Rep {
    Code code;
    std::string message;
  };
  std::unique_ptr<Rep> rep_;
};

inline Status OkStatus() { return Status(); }
Status CancelledError(std::string message);
Status InvalidArgumentError(std::string message);
Status NotFoundError(std::string message);
Status AlreadyExistsError(std::string message);
Status PermissionDeniedError(std::string message);
Status UnauthenticatedError(std::string message);
Status ResourceExhaustedError(std::string message);
Status UnavailableError(std::string message);
Status DeadlineExceededError(std::string message);
Status DataLossError(std::string message);
Status IoError(std::string message);
Status UnimplementedError(std::string message);
Status InternalError(std::string message);
// "message: <what the system says about errno>", with the code that fits errno.
Status ErrnoError(std::string_view message, int error = errno);

// A T, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    CHECK(!status_.ok(), "a Result without a value needs an error");
  }
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }

  // REQUIRES: ok().
  T& value() & {
    CHECK(ok(), status_.ToString());
    return *value_;
  }
  const T& value() const& {
    CHECK(ok(), status_.ToString());
    return *value_;
  }
  T&& value() && {
    CHECK(ok(), status_.ToString());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace kelp

#define KELP_CONCAT_(a, b) a##b
#define KELP_CONCAT(a, b) KELP_CONCAT_(a, b)

// Returns from the enclosing function when `expr` (a Status) is not ok. Append .Annotate("...") to
// the expression itself to add context.
#define RETURN_IF_ERROR(expr)                                                          \
  do {                                                                                 \
    if (::kelp::Status kelp_status_ = (expr); !kelp_status_.ok()) return kelp_status_; \
  } while (false)

// Evaluates `expr` (a Result<T>); on error returns its Status, else moves the value into `lhs`.
#define ASSIGN_OR_RETURN(lhs, expr) \
  KELP_ASSIGN_OR_RETURN_(KELP_CONCAT(kelp_result_, __LINE__), lhs, expr)
#define KELP_ASSIGN_OR_RETURN_(result, lhs, expr)      \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  lhs = std::move(result).value()

#endif  // KELP_BASE_STATUS_H_
