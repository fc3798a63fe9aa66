#include "store/store.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/store_test_util.h"

namespace kelp::store {
namespace {

constexpr OriginId kOrigin{1, 1};
const LogstoreName kLogs{"default", "logs"};

class StoreTest : public testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    store_.reset();
    metrics_ = std::make_unique<MetricRegistry>();
    options_.dir = dir_ / "store";
    auto store = Store::Open(RealEnv(), options_, *metrics_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = *std::move(store);
  }
  void MakeLogs() { ASSERT_TRUE(store_->PutLogstore(kLogs, {}).ok()); }
  AppendResult Append(BatchPtr batch) {
    const auto result = AppendAndWait(*store_, kLogs, MakeSet(std::move(batch)));
    EXPECT_TRUE(result.ok()) << result.status().ToString();
    return result.ok() ? *result : AppendResult();
  }
  std::vector<std::string> Rows() {
    auto snapshot = store_->Read(kLogs);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status().ToString();
    auto rows = AllRows(**snapshot);
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  TestDir dir_;
  StoreOptions options_;
  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, ShowsRowsWhenAppendIsDone) {
  MakeLogs();
  EXPECT_EQ(Append(NumberedRows(kOrigin, 0, 100)).accepted, 100u);
  const auto rows = Rows();
  ASSERT_EQ(rows.size(), 100u);
  EXPECT_EQ(rows[0], kOrigin.ToString() +
                         ":0 1763700000000000000 row 0 says hello f.level=error "
                         "r.k8s.pod.name=pod-1");
}

TEST_F(StoreTest, LeavesOutRowsThatWereStoredBefore) {
  MakeLogs();
  EXPECT_EQ(Append(NumberedRows(kOrigin, 0, 60)).accepted, 60u);
  const AppendResult again = Append(NumberedRows(kOrigin, 40, 40));
  EXPECT_EQ(again.accepted, 20u);
  EXPECT_EQ(again.duplicate, 20u);
  EXPECT_EQ(Rows().size(), 80u);
  // Another origin has a mark of its own, and no origin has none.
  EXPECT_EQ(Append(NumberedRows({1, 2}, 0, 10)).accepted, 10u);
  EXPECT_EQ(Append(NumberedRows({}, 0, 10)).accepted, 10u);
  EXPECT_EQ(Append(NumberedRows({}, 0, 10)).accepted, 10u);
}

TEST_F(StoreTest, KeepsRowsAndMarksOverAReopening) {
  MakeLogs();
  Append(NumberedRows(kOrigin, 0, 50));
  Append(NumberedRows(kOrigin, 40, 20));
  const auto before = Rows();
  Reopen();
  EXPECT_EQ(Rows(), before);
  EXPECT_EQ(Append(NumberedRows(kOrigin, 0, 60)).duplicate, 60u);
  Reopen();
  EXPECT_EQ(Rows(), before);
}

TEST_F(StoreTest, RefusesWhatItDoesNotHold) {
  const auto missing = AppendAndWait(*store_, kLogs, MakeSet(NumberedRows(kOrigin, 0, 1)));
  EXPECT_EQ(missing.status().code(), Code::kNotFound);
  EXPECT_EQ(store_->Read(kLogs).status().code(), Code::kNotFound);
  EXPECT_EQ(store_->PutLogstore({"../etc", "x"}, {}).code(), Code::kInvalidArgument);
  EXPECT_EQ(store_->PutLogstore({"a", "WAL"}, {}).code(), Code::kInvalidArgument);
}

TEST_F(StoreTest, RefusesASecondOpener) {
  MetricRegistry metrics;
  EXPECT_EQ(Store::Open(RealEnv(), options_, metrics).status().code(), Code::kAlreadyExists);
}

TEST_F(StoreTest, ForgetsADroppedLogstore) {
  MakeLogs();
  Append(NumberedRows(kOrigin, 0, 50));
  ASSERT_TRUE(store_->DropLogstore(kLogs).ok());
  EXPECT_EQ(store_->Read(kLogs).status().code(), Code::kNotFound);
  MakeLogs();
  EXPECT_TRUE(Rows().empty());
  Reopen();
  EXPECT_TRUE(Rows().empty());
  EXPECT_EQ(Append(NumberedRows(kOrigin, 0, 50)).accepted, 50u);
}

TEST_F(StoreTest, JoinsManyTinyAppendsIntoFewBlocks) {
  MakeLogs();
  for (uint64_t n = 0; n < 300; ++n) Append(NumberedRows(kOrigin, n, 1));
  EXPECT_EQ(Rows().size(), 300u);
  EXPECT_LE((*store_->Read(kLogs))->blocks().size(), 12u);
}

TEST_F(StoreTest, TellsSubscribersOfNewRowsOnly) {
  MakeLogs();
  Append(NumberedRows(kOrigin, 0, 10));
  std::vector<std::string> seen;
  auto handle = store_->Subscribe(kLogs, [&](const Batch& batch) {
    batch.ForEach([&](uint32_t row) { seen.emplace_back(batch.body().Get(row).text()); });
  });
  ASSERT_TRUE(handle.ok());
  Append(NumberedRows(kOrigin, 8, 4));
  EXPECT_EQ(seen, (std::vector<std::string>{"row 10 says hello", "row 11 says hello"}));
  *handle = nullptr;
  Append(NumberedRows(kOrigin, 12, 4));
  EXPECT_EQ(seen.size(), 2u);
}

TEST_F(StoreTest, ShowsTheSameRowsFromSegments) {
  MakeLogs();
  Append(NumberedRows(kOrigin, 0, 500));
  Append(NumberedRows({1, 2}, 0, 500));
  const auto before = Rows();
  ASSERT_EQ(before.size(), 1000u);
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(Rows(), before);
  LogstoreStats stats = *store_->Stats(kLogs);
  EXPECT_EQ(stats.rows, 1000u);
  EXPECT_EQ(stats.hot_rows, 0u);
  EXPECT_EQ(stats.segments, 1u);
  Append(NumberedRows(kOrigin, 500, 10));
  EXPECT_EQ(Rows().size(), 1010u);
  Reopen();
  EXPECT_EQ(Rows().size(), 1010u);
  EXPECT_EQ(Append(NumberedRows(kOrigin, 0, 510)).duplicate, 510u);
}

TEST_F(StoreTest, KeepsASnapshotAsItWas) {
  MakeLogs();
  Append(NumberedRows(kOrigin, 0, 10));
  const auto old = *store_->Read(kLogs);
  Append(NumberedRows(kOrigin, 10, 10));
  EXPECT_EQ(AllRows(*old).size(), 10u);
  EXPECT_GT((*store_->Read(kLogs))->version(), old->version());
  EXPECT_EQ((*store_->Read(kLogs)).get(), (*store_->Read(kLogs)).get());
}

}  // namespace
}  // namespace kelp::store
