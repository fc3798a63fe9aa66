// What `kelp logs` does: searches, and follows what comes.
#ifndef KELP_APPS_KELP_LOGS_H_
#define KELP_APPS_KELP_LOGS_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "remote.h"
#include "row.h"

namespace kelp::cli {

struct LogsRequest {
  std::string query;
  std::string project;
  std::string logstore;
  std::string from;  // as the API takes it
  std::string to;
  size_t rows_max = 100;
};

// Remembers which rows were shown lately, so that a row that a search and the live stream both
// bring is shown once.
//
// Limits: the last kRemembered rows; enough for what arrives while a stream is opened.
class RecentRows {
 public:
  static constexpr size_t kRemembered = 10'000;
  // False when the row was added before.
  bool Add(const Row& row);

 private:
  std::unordered_set<std::string> known_;
  std::deque<std::string> order_;
};

// Searches page by page.
//
// Threads:  thread-compatible. Blocking. Errors: those of RemoteClient, and kDataLoss for answers
//           that are not what docs/formats/http-api.md says.
class LogSearch {
 public:
  LogSearch(RemoteClient& client, Clock& clock, LogsRequest request)
      : client_(client), clock_(clock), request_(std::move(request)) {}

  // The newest rows_max rows, oldest first.
  Result<std::vector<Row>> Newest();
  // Rows newest first, page by page, until `fn` has had rows_max of them.
  Status ForEach(const std::function<void(Row row)>& fn);
  // Shows rows as they come, until `fn` returns false or the stream breaks for good. Rows that come
  // while the stream is being opened, or was lost, are searched for; `note` hears of losses.
  Status Follow(const std::function<bool(const Row& row)>& fn,
                const std::function<void(const std::string& text)>& note);
  // Why the last search is not complete; empty when it is.
  const std::string& partial() const { return partial_; }

 private:
  struct Page {
    std::vector<Row> rows;
    std::string cursor;
    std::string partial;  // why the server stopped early; empty when it did not
  };
  std::string Base() const;
  Result<Page> GetPage(const std::string& cursor, size_t limit);

  // Searches for what came since `age` ago.
  Status CatchUp(Duration age, const std::function<void(const Row& row)>& fn);

  RemoteClient& client_;
  Clock& clock_;
  LogsRequest request_;
  std::string partial_;
};

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_LOGS_H_
