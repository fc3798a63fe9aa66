#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "base/env.h"
#include "base/ids.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/units.h"

namespace kelp {
namespace {

TEST(StatusTest, KeepsCodeAndGrowsContext) {
  const Status status = ErrnoError("cannot open /x", ENOSPC).Annotate("segment 7");
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  EXPECT_TRUE(status.retryable());
  EXPECT_EQ(status.message(), "segment 7: cannot open /x: No space left on device");
  EXPECT_TRUE(OkStatus().Annotate("x").ok());
}

TEST(StatusTest, ResultCarriesEitherValueOrError) {
  const auto half = [](int n) -> Result<int> {
    if (n % 2 != 0) return InvalidArgumentError("odd");
    return n / 2;
  };
  const auto quarter = [&](int n) -> Result<int> {
    ASSIGN_OR_RETURN(const int h, half(n));
    return half(h);
  };
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).status().code(), Code::kInvalidArgument);
}

TEST(UnitsTest, ReadsAndWritesSizes) {
  EXPECT_EQ(ParseByteSize("64MiB")->bytes, 64u << 20);
  EXPECT_EQ(ParseByteSize("1.5 KiB")->bytes, 1536u);
  EXPECT_EQ(ParseByteSize("10MB")->bytes, 10000000u);
  EXPECT_EQ(ParseByteSize("0")->bytes, 0u);
  for (const char* bad : {"", "5", "MiB", "5 mib", "-1B", "1.2.3KB", "99999999999TiB", "5MiBx"}) {
    EXPECT_FALSE(ParseByteSize(bad).ok()) << bad;
  }
  EXPECT_EQ(FormatByteSize(64_MiB), "64MiB");
  EXPECT_EQ(FormatByteSize({1000}), "1000B");
}

TEST(UnitsTest, ReadsAndWritesDurations) {
  EXPECT_EQ(*ParseDuration("1h30m"), 90min);
  EXPECT_EQ(*ParseDuration("250ms"), 250ms);
  EXPECT_EQ(*ParseDuration("7d"), 168h);
  for (const char* bad : {"", "5", "s", "1h30", "5 parsecs"}) {
    EXPECT_FALSE(ParseDuration(bad).ok()) << bad;
  }
  EXPECT_EQ(FormatDuration(90min), "1h30m");
  EXPECT_EQ(FormatDuration(1500ms), "1s500ms");
}

TEST(UnitsTest, ReadsAndWritesTimes) {
  const UnixNanos t = *ParseRfc3339("2026-11-20T23:49:26.304280852Z");
  EXPECT_EQ(FormatRfc3339(t), "2026-11-20T23:49:26.304280852Z");
  EXPECT_EQ(*ParseRfc3339("2026-11-21T01:49:26.304280852+02:00"), t);
  EXPECT_EQ(*ParseRfc3339("1970-01-01 00:00:00Z"), 0);
  EXPECT_EQ(FormatRfc3339(-1), "1969-12-31T23:59:59.999999999Z");
  for (const char* bad : {"", "2026-11-20", "2026-13-20T00:00:00Z", "2026-11-20T00:00:00",
                          "2026-11-20T00:00:00.Z", "2026-11-20T00:00:00Zx"}) {
    EXPECT_FALSE(ParseRfc3339(bad).ok()) << bad;
  }
}

TEST(IdsTest, OriginIdsGoThroughText) {
  const OriginId id = OriginId::Make(RealEnv().random());
  EXPECT_EQ(*OriginId::Parse(id.ToString()), id);
  EXPECT_FALSE(OriginId::Parse("xyz").ok());
}

TEST(MetricsTest, PrintsPrometheusText) {
  MetricRegistry registry;
  registry.AddCounter("input_rows_total", "Rows read.", {{"pipeline", "a\"b"}}).Add(3);
  registry.AddLatency("ack_seconds", "Time to ack.").Record(3ms);
  std::string out;
  registry.PrintTo(out);
  EXPECT_NE(out.find("kelp_input_rows_total{pipeline=\"a\\\"b\"} 3\n"), std::string::npos) << out;
  EXPECT_NE(out.find("kelp_ack_seconds_count 1\n"), std::string::npos) << out;
  registry.RemoveWithLabel("pipeline", "a\"b");
  EXPECT_EQ(registry.Value("input_rows_total", {{"pipeline", "a\"b"}}), 0);
}

TEST(MetricsTest, PrintsEverySecondBucketAndAllThatWasSeen) {
  MetricRegistry registry;
  LatencyHistogram& latency = registry.AddLatency("ack_seconds", "Time to ack.", {{"a", "b"}});
  latency.Record(3us);  // up to 4 us
  latency.Record(5us);  // up to 8 us, printed as 16
  latency.Record(1h);   // in the last one
  std::string out;
  registry.PrintTo(out);
  EXPECT_NE(out.find("_bucket{a=\"b\",le=\"4e-06\"} 1\n"), std::string::npos) << out;
  EXPECT_EQ(out.find("le=\"8e-06\""), std::string::npos) << out;
  EXPECT_NE(out.find("_bucket{a=\"b\",le=\"1.6e-05\"} 2\n"), std::string::npos) << out;
  EXPECT_NE(out.find("_bucket{a=\"b\",le=\"+Inf\"} 3\n"), std::string::npos) << out;
  EXPECT_NE(out.find("_count{a=\"b\"} 3\n"), std::string::npos) << out;
}

TEST(MetricsTest, KeepsOtherPipelinesWhenOneIsRemoved) {
  MetricRegistry registry;
  const MetricLabels a = {{"pipeline", "a"}};
  const MetricLabels b = {{"pipeline", "b"}};
  for (const char* name : {"read_rows_total", "sent_rows_total"}) {
    registry.AddCounter(name, "Rows.", a).Add(1);
    registry.AddCounter(name, "Rows.", b).Add(2);
  }
  Counter& counter = registry.AddCounter("read_rows_total", "Rows.", b);
  registry.RemoveWithLabel("pipeline", "a");
  counter.Add(1);
  EXPECT_EQ(registry.Value("read_rows_total", a), 0);
  EXPECT_EQ(registry.Value("read_rows_total", b), 3);
  EXPECT_EQ(registry.Value("sent_rows_total", b), 2);
  registry.AddCounter("read_rows_total", "Rows.", a).Add(7);
  EXPECT_EQ(registry.Value("read_rows_total", a), 7);
  EXPECT_EQ(&registry.AddCounter("read_rows_total", "Rows.", b), &counter);
}

TEST(MetricsTest, FindsTheValuesOfCollectors) {
  MetricRegistry registry;
  LatencyHistogram latency;
  latency.Record(1ms);
  const auto collector = registry.AddCollector([&](MetricSamples& samples) {
    samples.Counter("rows_total", "Rows.", {{"pipeline", "a"}}, 5);
    samples.Counter("rows_total", "Rows.", {{"pipeline", "ab"}}, 6);
    samples.Gauge("full_ratio", "How full.", {}, 0.5);
    samples.Latency("wait_seconds", "Waiting.", {{"pipeline", "a"}}, latency);
  });
  registry.AddCounter("size_bytes", "Bytes.");
  EXPECT_EQ(registry.Value("rows_total", {{"pipeline", "a"}}), 5);
  EXPECT_EQ(registry.Value("rows_total", {{"pipeline", "ab"}}), 6);
  EXPECT_EQ(registry.Value("rows_total"), 0);
  EXPECT_EQ(registry.Value("full_ratio"), 0.5);
  std::string out;
  registry.PrintTo(out);
  const size_t rows =
      out.find("# TYPE kelp_rows_total counter\nkelp_rows_total{pipeline=\"a\"} 5\n");
  const size_t size = out.find("# TYPE kelp_size_bytes counter\nkelp_size_bytes 0\n");
  const size_t wait = out.find("kelp_wait_seconds_count{pipeline=\"a\"} 1\n");
  EXPECT_LT(rows, size) << out;
  EXPECT_LT(size, wait) << out;
  EXPECT_NE(wait, std::string::npos) << out;
}

TEST(MetricsTest, PrintsMuchInPiecesWithoutHoldingALock) {
  MetricRegistry registry;
  constexpr int kPipelines = 5000;
  const auto labels = [](int n) { return MetricLabels{{"pipeline", "p" + std::to_string(n)}}; };
  for (int n = 0; n < kPipelines; ++n) registry.AddCounter("tail_rows_total", "Rows.", labels(n));
  const auto collector = registry.AddCollector([&](MetricSamples& samples) {
    for (int n = 0; n < kPipelines; ++n) samples.Counter("rows_total", "Rows.", labels(n), 1);
  });
  std::string all;
  registry.PrintTo(all);
  std::string pieces;
  int count = 0;
  registry.Print([&](std::string piece) {
    EXPECT_LT(piece.size(), MetricRegistry::kPieceBytes * 2);
    pieces += piece;
    ++count;
    registry.AddGauge("a_gauge", "Would wait for ever for a lock that is held.");
    return true;
  });
  EXPECT_GT(count, 5);
  EXPECT_EQ(pieces, all);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2 * kPipelines + 4);
  count = 0;
  registry.Print([&](std::string) { return ++count < 2; });
  EXPECT_EQ(count, 2) << "nobody wants more";
}

TEST(MemoryBudgetTest, NeverPassesItsLimit) {
  MemoryBudget budget(100_B);
  EXPECT_TRUE(budget.TryReserve(60));
  EXPECT_FALSE(budget.TryReserve(41));
  EXPECT_TRUE(budget.TryReserve(40));
  budget.Release(100);
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(budget.peak(), 100u);
}

TEST(MemoryBudgetTest, AShareGivesBackWhatItTook) {
  MemoryBudget budget(100_B);
  {
    BudgetShare share(&budget);
    share.Set(30);
    EXPECT_EQ(budget.used(), 30u);
    EXPECT_FALSE(share.tight());
    share.Set(120);
    EXPECT_EQ(budget.used(), 120u) << "what is there already passes the limit";
    EXPECT_TRUE(share.tight());
    EXPECT_FALSE(budget.TryReserve(1));
    share.Set(10);
    EXPECT_EQ(budget.used(), 10u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

class EnvTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "kelp_env_" + RandomHex(RealEnv().random(), 8);
    ASSERT_TRUE(files_.MakeDirs(dir_).ok());
  }
  void TearDown() override { ASSERT_TRUE(files_.RemoveTree(dir_).ok()); }
  FileSystem& files_ = RealEnv().files();
  std::string dir_;
};

TEST_F(EnvTest, WritesReadsAndReplacesFiles) {
  const std::string path = JoinPath(dir_, "a");
  ASSERT_TRUE(WriteFileAtomically(files_, path, "one").ok());
  ASSERT_TRUE(WriteFileAtomically(files_, path, "two").ok());
  EXPECT_EQ(*ReadFile(files_, path), "two");
  EXPECT_EQ(ReadFile(files_, path, 2_B).status().code(), Code::kResourceExhausted);
  EXPECT_EQ(ReadFile(files_, path + "x").status().code(), Code::kNotFound);
  EXPECT_EQ(files_.ListDir(dir_)->size(), 1u);
}

TEST_F(EnvTest, AppendsManyPiecesWhole) {
  const auto file = *files_.OpenForWrite(JoinPath(dir_, "a"), true);
  std::vector<std::string_view> pieces(200, "0123456789");
  ASSERT_TRUE(file->AppendAll(pieces).ok());
  EXPECT_EQ(file->Stat()->size, 2000u);
}

TEST_F(EnvTest, ASecondLockIsRefused) {
  const std::string path = JoinPath(dir_, "lock");
  auto first = files_.Lock(path);
  ASSERT_TRUE(first.ok());
  const auto second = files_.Lock(path);
  EXPECT_EQ(second.status().code(), Code::kAlreadyExists);
  EXPECT_NE(second.status().message().find(std::to_string(getpid())), std::string_view::npos);
  first->reset();
  EXPECT_TRUE(files_.Lock(path).ok());
}

TEST_F(EnvTest, WatcherTellsOfCreationWritingAndRemoval) {
  auto watcher = *RealEnv().NewFileWatcher();
  const int watch = *watcher->AddDir(dir_);
  const std::string path = JoinPath(dir_, "a");
  ASSERT_TRUE((*files_.OpenForWrite(path, true))->Append("x").ok());
  auto events = watcher->Wait(5s);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].watch, watch);
  EXPECT_EQ(events[0].name, "a");
  EXPECT_TRUE(events[0].created && events[0].modified);
  ASSERT_TRUE(files_.Remove(path).ok());
  events = watcher->Wait(5s);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0].gone);
  watcher->Wake();
  EXPECT_TRUE(watcher->Wait(5s).empty());
}

}  // namespace
}  // namespace kelp
