// The store against a list of rows, under random actions, faults and power cuts.
//
// The client behaves as agents do: it sends the ranges of an origin in order, and sends a range
// again until it is acknowledged. Then, whatever happens, each row must be there exactly once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/log.h"
#include "store/layout.h"
#include "store/sim_env.h"
#include "store/store.h"
#include "store/store_test_util.h"

namespace kelp::store {
namespace {

const LogstoreName kLogs{"default", "logs"};
constexpr UnixNanos kNow = 1'763'700'000'000'000'000;

// One client request: rows of a few origins, as made and as the store must show them.
struct Request {
  std::vector<std::pair<OriginId, std::vector<TestRow>>> parts;
  std::shared_ptr<std::atomic<int>> outcome = std::make_shared<std::atomic<int>>(kOpen);
  enum { kOpen, kDone, kFailed };
};

class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed), env_(std::make_unique<SimEnv>(seed + 1)) {
    env_->SetNow(kNow);
    Open();
    EXPECT_TRUE(store_->PutLogstore(kLogs, {}).ok());
  }
  ~Model() { store_.reset(); }

  void Run(int actions) {
    for (int i = 0; i < actions && !testing::Test::HasFailure(); ++i) {
      Act();
      if (i % 20 == 19) Verify("after an action");
    }
    Heal();
    Verify("at the end");
    EXPECT_EQ(metrics_->Value("store_wal_lost_bytes_total"), 0);
    EXPECT_EQ(metrics_->Value("store_corrupt_files_total"), 0);
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }

  void Open() {
    store_.reset();
    metrics_ = std::make_unique<MetricRegistry>();
    StoreOptions options;
    options.dir = "/data/store";
    options.hot_bytes_max = ByteSize{Below(2) == 0 ? 10'000u : 64u << 20};
    options.commit_interval = Duration(0);
    options.maintenance_interval = Below(2) == 0 ? Duration(20ms) : Duration(1h);
    auto store = Store::Open(*env_, options, *metrics_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = *std::move(store);
  }

  void Act() {
    switch (Below(16)) {
      case 0:
        EXPECT_TRUE(store_->Flush().ok());
        break;
      case 1:
        EXPECT_TRUE(store_->Maintain().ok());
        break;
      case 2:
        Open();
        break;
      case 3:
      case 4:
        PowerCut();
        break;
      case 5:
        DiskFull();
        break;
      case 6:
        FailingSyncs();
        break;
      case 7:
        SendAgain();
        break;
      default:
        SendAndSettle();
        break;
    }
  }

  // --- the client ---
  std::vector<TestRow> MakeRows(uint64_t origin, uint64_t count) {
    std::vector<TestRow> rows;
    for (uint64_t i = 0; i < count; ++i) {
      TestRow row;
      row.begin = position_[origin];
      row.end = row.begin + 1 + Below(200);
      position_[origin] = row.end;
      // Three days, and now and then a clock that is far off.
      row.time = kNow - static_cast<int64_t>(Below(200'000)) * 1'000'000'000 +
                 static_cast<int64_t>(Below(1000)) * (Below(2) == 0 ? 1 : 1'000'000);
      if (Below(50) == 0) row.time = static_cast<int64_t>(Below(1000));
      row.body = "row " + std::to_string(origin) + "/" + std::to_string(row.begin) + " " +
                 std::string(Below(60), static_cast<char>('a' + Below(26)));
      if (Below(20) == 0) row.body.clear();
      if (Below(3) != 0) row.fields["level"] = Below(2) == 0 ? "info" : "error";
      if (Below(4) == 0) row.fields["id" + std::to_string(Below(3))] = std::to_string(random_());
      rows.push_back(std::move(row));
    }
    return rows;
  }

  Request MakeRequest() {
    Request request;
    std::set<uint64_t> origins;
    for (uint64_t n = 1 + Below(4); n > 0; --n) origins.insert(1 + Below(6));
    for (const uint64_t origin : origins) {
      request.parts.emplace_back(OriginId{7, origin}, MakeRows(origin, 1 + Below(30)));
    }
    return request;
  }

  static std::vector<Resource::Tag> TagsOf(OriginId origin) {
    std::vector<Resource::Tag> tags = {{"k8s.pod.name", "pod-" + std::to_string(origin.low % 4)}};
    if (origin.low % 2 == 0) tags.emplace_back("k8s.namespace.name", "even");
    return tags;
  }

  void Send(Request& request) {
    std::vector<BatchPtr> batches;
    for (const auto& [origin, rows] : request.parts) {
      batches.push_back(MakeBatch(origin, TagsOf(origin), rows));
    }
    request.outcome->store(Request::kOpen);
    store_->Append(kLogs, MakeSet(std::move(batches)),
                   [outcome = request.outcome](Result<AppendResult> result) {
                     outcome->store(result.ok() ? Request::kDone : Request::kFailed);
                     outcome->notify_all();
                   });
  }
  int Settle(Request& request) {
    request.outcome->wait(Request::kOpen);
    return request.outcome->load();
  }
  void Believe(const Request& request) {
    for (const auto& [origin, rows] : request.parts) {
      for (const TestRow& row : rows) expected_.push_back(Print(origin, row));
    }
    last_ = request;
  }
  void SendAndSettle() {
    Request request = MakeRequest();
    Send(request);
    EXPECT_EQ(Settle(request), Request::kDone);
    Believe(request);
  }
  // A client that did not get the answer.
  void SendAgain() {
    if (last_.parts.empty()) return;
    Request again = last_;
    again.outcome = std::make_shared<std::atomic<int>>(Request::kOpen);
    Send(again);
    EXPECT_EQ(Settle(again), Request::kDone);
  }

  // --- what goes wrong ---
  void PowerCut() {
    std::vector<Request> requests;
    // Origins must not overtake each other: one request is under way at a time per client; here
    // one client sends all, so the second waits until the first was answered.
    requests.push_back(MakeRequest());
    Send(requests.back());
    if (Below(2) == 0) std::this_thread::yield();
    const bool acknowledged = requests.back().outcome->load() == Request::kDone;
    std::unique_ptr<SimEnv> after = env_->Crash();
    store_.reset();
    env_ = std::move(after);
    Open();
    if (acknowledged) {
      Believe(requests.back());
      Verify("acknowledged before the power cut");
    } else {
      Resend(requests.back());
    }
  }

  void Resend(Request& request) {
    for (int i = 0; i < 3; ++i) {
      Send(request);
      if (Settle(request) == Request::kDone) {
        Believe(request);
        return;
      }
    }
    ADD_FAILURE() << "a healthy disk refuses a request";
  }

  void DiskFull() {
    env_->SetWriteBudget(Below(4000));
    Request request = MakeRequest();
    Send(request);
    const bool done = Settle(request) == Request::kDone;
    if (Below(2) == 0) store_->Flush().IgnoreError();
    if (Below(2) == 0) store_->Maintain().IgnoreError();
    if (done) Believe(request);
    Verify("with a full disk");
    if (!done && Below(3) == 0) {  // and then the machine stops, too
      env_ = RestartAfter(env_->Crash());
    }
    env_->SetWriteBudget(UINT64_MAX);
    if (!done) Resend(request);
  }

  std::unique_ptr<SimEnv> RestartAfter(std::unique_ptr<SimEnv> after) {
    store_.reset();
    env_ = std::move(after);
    Open();
    return std::move(env_);
  }

  void FailingSyncs() {
    env_->FailSyncs(1 + static_cast<int>(Below(4)));
    Request request = MakeRequest();
    if (Below(2) == 0) store_->Flush().IgnoreError();
    Send(request);
    const bool done = Settle(request) == Request::kDone;
    if (Below(2) == 0) store_->Flush().IgnoreError();
    if (Below(2) == 0) store_->Maintain().IgnoreError();
    env_->FailSyncs(0);
    if (done) {
      Believe(request);
    } else {
      Resend(request);
    }
  }

  void Heal() {
    env_->SetWriteBudget(UINT64_MAX);
    env_->FailSyncs(0);
    EXPECT_TRUE(store_->Flush().ok());
    Open();
  }

  // --- the comparison ---
  static std::string Print(OriginId origin, const TestRow& row) {
    std::map<std::string, std::string> sorted;
    for (const auto& [name, value] : row.fields) sorted["f." + name] = value;
    for (const auto& [name, value] : TagsOf(origin)) sorted["r." + name] = value;
    std::string text = origin.ToString() + ":" + std::to_string(row.begin) + " " +
                       std::to_string(row.time) + " " + row.body;
    for (const auto& [name, value] : sorted) text += " " + name + "=" + value;
    return text;
  }

  void Verify(const char* when) {
    if (store_ == nullptr) return;
    std::vector<std::string> found = AllRows(**store_->Read(kLogs));
    std::vector<std::string> expected = expected_;
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    if (found == expected) return;
    std::vector<std::string> missing;
    std::vector<std::string> surplus;
    std::set_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                        std::back_inserter(missing));
    std::set_difference(found.begin(), found.end(), expected.begin(), expected.end(),
                        std::back_inserter(surplus));
    ADD_FAILURE() << when << ": " << missing.size() << " rows are missing, " << surplus.size()
                  << " too many; first missing: " << (missing.empty() ? "" : missing[0])
                  << "; first surplus: " << (surplus.empty() ? "" : surplus[0]);
  }

  std::mt19937_64 random_;
  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<Store> store_;
  std::map<uint64_t, uint64_t> position_;
  std::vector<std::string> expected_;
  Request last_;
};

class StoreModel : public testing::TestWithParam<uint64_t> {
 protected:
  void SetUp() override { SetLogOptions({.level = static_cast<LogLevel>(4)}); }
  void TearDown() override { SetLogOptions({}); }
};

TEST_P(StoreModel, HoldsEachRowExactlyOnce) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Model model(GetParam());
  model.Run(80);
}

// KELP_STORE_SEED=N runs other seeds, N to N + 9.
uint64_t FirstSeed() {
  const char* text = std::getenv("KELP_STORE_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 1;
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreModel,
                         testing::Range<uint64_t>(FirstSeed(), FirstSeed() + 10));

}  // namespace
}  // namespace kelp::store
