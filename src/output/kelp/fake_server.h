// A Kelp server in memory, behind the network seam; for tests.
#ifndef KELP_OUTPUT_KELP_FAKE_SERVER_H_
#define KELP_OUTPUT_KELP_FAKE_SERVER_H_

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "codec/kelp_batch.h"
#include "net/http_client.h"

namespace kelp::output::testing {

// Stores rows as a server does (skipping those whose end offset is not above the highest one of
// their origin), after the answers of a script are used up.
//
// Threads: thread-safe.
class FakeServer final : public net::HttpTransport {
 public:
  // What a request meets. Given the decoded parts, answers or declines (status 0: go on).
  using Rule = std::function<net::HttpResponse(const std::vector<BatchPtr>& parts)>;
  struct Step {
    Status error;              // no answer but this
    net::HttpResponse answer;  // status 0: store the rows and answer 200
    bool store_first = false;  // the rows are stored although the answer says otherwise
  };

  void Script(std::vector<Step> steps) {
    MutexLock lock(mu_);
    script_.assign(std::make_move_iterator(steps.begin()), std::make_move_iterator(steps.end()));
  }
  void SetRule(Rule rule) {
    MutexLock lock(mu_);
    rule_ = std::move(rule);
  }

  Result<net::HttpResponse> Send(const net::HttpClientRequest& request) override {
    std::string body;
    for (const std::string_view piece : request.body) body += piece;
    MutexLock lock(mu_);
    requests_.push_back(request);
    requests_.back().body.clear();
    Step step;
    step.answer.status = 0;
    if (!script_.empty()) {
      step = std::move(script_.front());
      script_.pop_front();
    }
    Result<std::vector<BatchPtr>> parts = codec::DecodeBatchSet(body);
    if (!parts.ok()) return net::Error(parts.status());
    if (step.answer.status == 0 && rule_) step.answer = rule_(*parts);
    std::pair<uint64_t, uint64_t> counts;
    const bool store = step.store_first || (step.error.ok() && step.answer.status == 0);
    if (store) counts = Store(*parts);
    if (!step.error.ok()) return step.error;
    if (step.answer.status != 0) return step.answer;
    return net::Json(200, "{\"accepted\":" + std::to_string(counts.first) +
                              ",\"duplicate\":" + std::to_string(counts.second) + "}");
  }

  // Bodies in the order in which they were stored.
  std::vector<std::string> Bodies() const {
    MutexLock lock(mu_);
    return bodies_;
  }
  std::vector<net::HttpClientRequest> Requests() const {
    MutexLock lock(mu_);
    return requests_;
  }
  size_t request_count() const {
    MutexLock lock(mu_);
    return requests_.size();
  }

 private:
  std::pair<uint64_t, uint64_t> Store(const std::vector<BatchPtr>& parts) REQUIRES(mu_) {
    uint64_t accepted = 0, duplicate = 0;
    std::vector<std::string> stored;  // the thread-safety analysis does not see into lambdas
    for (const BatchPtr& part : parts) {
      uint64_t& mark = marks_[part->origin];
      part->ForEach([&](uint32_t row) {
        if (part->row_end(row) <= mark) {
          ++duplicate;
          return;
        }
        mark = part->row_end(row);
        ++accepted;
        stored.emplace_back(part->body().Get(row).text());
      });
    }
    bodies_.insert(bodies_.end(), stored.begin(), stored.end());
    return {accepted, duplicate};
  }

  mutable Mutex mu_;
  std::deque<Step> script_ GUARDED_BY(mu_);
  Rule rule_ GUARDED_BY(mu_);
  std::vector<net::HttpClientRequest> requests_ GUARDED_BY(mu_);
  std::map<OriginId, uint64_t> marks_ GUARDED_BY(mu_);
  std::vector<std::string> bodies_ GUARDED_BY(mu_);
};

}  // namespace kelp::output::testing

#endif  // KELP_OUTPUT_KELP_FAKE_SERVER_H_
