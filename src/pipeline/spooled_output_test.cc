#include "pipeline/spooled_output.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "spool/testing.h"

namespace kelp::pipeline {
namespace {

struct AckCount {
  std::atomic<int> done{0};
  std::atomic<int> lost{0};
};
class CountedAck final : public AckTarget {
 public:
  explicit CountedAck(AckCount& count) : count_(count) {}
  ~CountedAck() override {
    if (!done_) ++count_.lost;
  }
  void OnAck() override {
    done_ = true;
    ++count_.done;
  }

 private:
  AckCount& count_;
  std::atomic<bool> done_{false};
};

// What a destination holds, and an output to it that a test stops and starts.
struct Destination {
  Mutex mu;
  std::vector<std::pair<SharedBatch, Ack>> waiting;  // given, not acknowledged
  std::map<uint64_t, std::vector<uint64_t>> ends;    // by origin, in the order of arrival
  std::vector<std::string> bodies;
  std::vector<SharedBatch> batches;
  std::atomic<bool> room{true};
  std::atomic<bool> answers{true};

  void Answer() {
    MutexLock lock(mu);
    for (auto& [batch, ack] : waiting) ack.Done();
    waiting.clear();
  }
};
class TestOutput final : public Output {
 public:
  explicit TestOutput(Destination& to) : to_(to) {}
  Status Start(OutputHost& host) override {
    host_ = &host;
    return OkStatus();
  }
  void Write(SharedBatch batch, Ack ack) override {
    MutexLock lock(to_.mu);
    batch->ForEach([&](uint32_t row) {
      to_.ends[batch->origin.low].push_back(batch->row_end(row));
      to_.bodies.emplace_back(batch->body().Get(row).text());
    });
    to_.batches.push_back(batch);
    if (to_.answers) {
      ack.Done();
    } else {
      to_.waiting.emplace_back(std::move(batch), std::move(ack));
    }
  }
  bool HasRoom() const override { return to_.room; }
  void Stop(Duration) override {
    MutexLock lock(to_.mu);
    to_.waiting.clear();
  }

 private:
  Destination& to_;
  OutputHost* host_ = nullptr;
};

class TestHost final : public OutputHost {
 public:
  void RoomAvailable() override { ++room_available; }
  void GiveUp(SharedBatch batch, std::vector<uint32_t> rows, std::string_view reason,
              Ack ack) override {
    given_up[std::string(reason)] += rows.empty() ? batch->selected_count() : rows.size();
    if (slow) {
      waiting.push_back(std::move(ack));
      waiting_bytes += batch->memory_bytes();
    } else {
      ack.Done();
    }
  }
  void LostLater(std::string_view reason, uint64_t rows) override {
    lost_later[std::string(reason)] += rows;
  }
  std::atomic<int> room_available{0};
  std::map<std::string, uint64_t> lost_later;
  std::map<std::string, size_t> given_up;
  bool slow = false;  // acks wait
  std::vector<Ack> waiting;
  size_t waiting_bytes = 0;
};

// `count` rows of an origin, ends from `first_end` on.
SharedBatch Rows(uint64_t origin, uint64_t first_end, uint64_t count, size_t size = 20) {
  BatchPtr batch = BatchPool::Shared().Get();
  batch->origin = OriginId{7, origin};
  batch->set_resource(std::make_shared<const Resource>(
      std::vector<Resource::Tag>{{"log.file.path", "/var/log/" + std::to_string(origin)}}));
  std::mt19937_64 random(first_end);
  for (uint64_t end = first_end; end < first_end + count; ++end) {
    std::string body = std::to_string(end) + " ";
    while (body.size() < size) {
      const uint64_t noise = random();
      body.append(reinterpret_cast<const char*>(&noise), sizeof(noise));
    }
    batch->AddRow(batch->Copy(body), end - 1, end, 1'763'700'000'000'000'000);
  }
  batch->begin = first_end - 1;
  batch->end = batch->resume = first_end + count - 1;
  return batch;
}

class SpooledOutputTest : public ::testing::Test {
 protected:
  std::unique_ptr<SpooledOutput> Make(bool own_thread = false) {
    ComponentContext context;
    context.services.env = own_thread ? &real : static_cast<Env*>(&env);
    context.services.metrics = &metrics;
    context.services.data_dir = "/data";
    context.pipeline = "team/web";
    context.component = "kelp";
    auto output = std::make_unique<SpooledOutput>(
        std::make_unique<TestOutput>(to), config, context,
        SpooledOutput::Options{.own_thread = own_thread, .dead_letter = dead_letter});
    EXPECT_TRUE(output->Start(host).ok());
    return output;
  }
  double Metric(const std::string& name, MetricLabels more = {}) {
    MetricLabels labels = {{"pipeline", "team/web"}, {"component", "kelp"}};
    for (auto& label : more) labels.push_back(std::move(label));
    return metrics.Value(name, labels);
  }
  Ack NewAck() { return Ack(std::make_shared<CountedAck>(acks)); }

  // The simulated disk with the real clock, for outputs with a thread.
  struct RealTimeEnv final : Env {
    explicit RealTimeEnv(spool::testing::SpoolEnv& env) : disk(env) {}
    Clock& clock() override { return RealEnv().clock(); }
    FileSystem& files() override { return disk.files(); }
    Random& random() override { return disk.random(); }
    Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override { return disk.NewFileWatcher(); }
    spool::testing::SpoolEnv& disk;
  };

  spool::testing::SpoolEnv env{1};
  RealTimeEnv real{env};
  MetricRegistry metrics;
  TestHost host;
  AckCount acks;
  Destination to;
  spool::SpoolConfig config;
  bool dead_letter = false;
};

TEST_F(SpooledOutputTest, AcknowledgesWhatIsOnDiskWhileTheDestinationIsDown) {
  to.answers = false;
  to.room = false;
  auto output = Make();
  output->Write(Rows(1, 1, 3), NewAck());
  EXPECT_EQ(acks.done, 0);
  output->Step();
  EXPECT_EQ(acks.done, 1);
  EXPECT_TRUE(to.bodies.empty());
  EXPECT_EQ(Metric("spool_rows"), 3);
  EXPECT_EQ(Metric("spool_records"), 1);
  EXPECT_TRUE(env.files().Stat("/data/spool/team%2Fweb-kelp").ok());
  to.room = true;
  output->Step();
  EXPECT_EQ(to.bodies.size(), 3u);
  EXPECT_EQ(Metric("spool_rows"), 3);
  env.Advance(5s);
  output->Step();
  EXPECT_EQ(Metric("spool_oldest_seconds"), 5);
  to.Answer();
  output->Step();
  EXPECT_EQ(Metric("spool_rows"), 0);
}

TEST_F(SpooledOutputTest, ASpoolThatWasRemovedWhileTheAgentWasStoppedIsALoss) {
  to.room = false;
  auto output = Make();
  output->Write(Rows(1, 1, 7), NewAck());
  output->Step();
  output.reset();
  ASSERT_TRUE(env.files().RemoveTree("/data/spool").ok());
  output = Make();
  EXPECT_EQ(host.lost_later["spool_missing"], 7u) << "for the ledger";
  EXPECT_EQ(Metric("spool_dropped_rows_total", {{"reason", "missing"}}), 7);
  output.reset();
  output = Make();
  EXPECT_EQ(host.lost_later["spool_missing"], 7u) << "once";
}

TEST_F(SpooledOutputTest, KeepsEverythingThatMakesARowUniqueOverARestart) {
  to.room = false;
  auto output = Make();
  BatchPtr batch = BatchPool::Shared().Get();
  batch->origin = OriginId{1, 2};
  batch->set_resource(std::make_shared<const Resource>(
      std::vector<Resource::Tag>{{"host.name", "node-1"}, {"log.file.path", "/x"}}));
  for (uint64_t i = 0; i < 4; ++i) batch->AddRow("body", 100 + i * 10, 105 + i * 10, 1000 + i);
  batch->begin = 100;
  batch->end = batch->resume = 140;
  Column& column = batch->AddColumn("level");
  column.Set(1, Value::String("info"));
  column.Set(3, Value::Json("{\"a\":1}"));
  batch->Select([](uint32_t row) { return row != 0; });
  output->Write(std::move(batch), NewAck());
  output->Step();
  output.reset();
  EXPECT_EQ(acks.done, 1);

  to.room = true;
  output = Make();
  output->Step();
  ASSERT_EQ(to.batches.size(), 1u);
  const Batch& got = *to.batches[0];
  EXPECT_EQ(got.origin, (OriginId{1, 2}));
  EXPECT_EQ(got.resource()->Get("host.name"), "node-1");
  ASSERT_EQ(got.rows(), 3u);
  EXPECT_EQ(got.begin, 100u);
  for (uint32_t row = 0; row < 3; ++row) {
    EXPECT_EQ(got.row_begin(row), 110 + row * 10);
    EXPECT_EQ(got.row_end(row), 115 + row * 10);
    EXPECT_EQ(got.time(row), 1001 + row);
  }
  const Column* level = got.FindColumn("level");
  ASSERT_NE(level, nullptr);
  EXPECT_EQ(level->Get(0).text(), "info");
  EXPECT_TRUE(level->Get(1).missing());
  EXPECT_EQ(level->Get(2).kind, ValueKind::kJson);
}

TEST_F(SpooledOutputTest, SendsAgainWhatWasNotAcknowledgedBeforeAStop) {
  to.answers = false;
  auto output = Make();
  for (uint64_t i = 0; i < 5; ++i) output->Write(Rows(1, 1 + i, 1), NewAck());
  output->Step();
  {
    MutexLock lock(to.mu);
    for (int i = 0; i < 3; ++i) to.waiting[i].second.Done();
    to.waiting.erase(to.waiting.begin(), to.waiting.begin() + 3);
  }
  output->Stop(0s);
  output.reset();
  to.ends.clear();
  to.answers = true;
  output = Make();
  output->Step();
  EXPECT_EQ(to.ends[1], (std::vector<uint64_t>{4, 5}));
  EXPECT_EQ(acks.done, 5);
}

TEST_F(SpooledOutputTest, HoldsThePipelineWhenFullAndLetsItGoOnAfterwards) {
  config.size = 1_MiB;
  to.room = false;
  auto output = Make();
  uint64_t end = 1;
  while (output->HasRoom() && end < 10000) {
    output->Write(Rows(1, end, 10, 2000), NewAck());
    output->Step();
    end += 10;
  }
  ASSERT_LT(end, 2000u);
  const int written = acks.done;
  output->Write(Rows(1, end, 10, 2000), NewAck());  // a worker had it in hand
  output->Step();
  EXPECT_EQ(acks.done, written);
  EXPECT_EQ(acks.lost, 0);
  EXPECT_EQ(host.room_available, 0);
  to.room = true;
  for (int i = 0; i < 10; ++i) {
    env.Advance(2s);
    output->Step();
  }
  EXPECT_EQ(host.room_available, 1);
  EXPECT_TRUE(output->HasRoom());
  ASSERT_EQ(to.ends[1].size(), end + 9);
  EXPECT_TRUE(std::is_sorted(to.ends[1].begin(), to.ends[1].end()));
  EXPECT_EQ(Metric("spool_rows"), 0);
}

TEST_F(SpooledOutputTest, DropsTheOldestAndCountsThem) {
  config.size = 1_MiB;
  config.when_full = spool::WhenFull::kDropOldest;
  to.room = false;
  auto output = Make();
  for (uint64_t end = 1; end < 3000; end += 10) {
    EXPECT_TRUE(output->HasRoom());
    output->Write(Rows(1, end, 10, 2000), NewAck());
    output->Step();
  }
  EXPECT_EQ(acks.done, 300);
  to.room = true;
  while (Metric("spool_rows") != 0) output->Step();
  const double dropped = Metric("output_dropped_rows_total", {{"reason", "spool_full"}});
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(Metric("spool_dropped_rows_total", {{"reason", "full"}}), dropped);
  EXPECT_EQ(static_cast<double>(host.lost_later["spool_full"]), dropped) << "for the ledger";
  EXPECT_EQ(static_cast<double>(to.ends[1].size()) + dropped, 3000);
  EXPECT_EQ(to.ends[1].back(), 3000u);
}

TEST_F(SpooledOutputTest, GivesWhatItDropsToTheDeadLetterOutputAsFastAsThatTakesIt) {
  config.size = 1_MiB;
  config.when_full = spool::WhenFull::kDropOldest;
  dead_letter = true;
  to.room = false;
  auto output = Make();
  const auto write = [&](uint64_t first, uint64_t last) {
    for (uint64_t end = first; end < last; end += 10) {
      output->Write(Rows(1, end, 10, 2000), NewAck());
      output->Step();
    }
  };
  const auto dropped = [&] { return Metric("spool_dropped_rows_total", {{"reason", "full"}}); };
  write(1, 3000);
  EXPECT_GT(dropped(), 0);
  EXPECT_EQ(static_cast<double>(host.given_up["spool_full"]), dropped());
  EXPECT_EQ(Metric("output_dropped_rows_total", {{"reason", "spool_full"}}), 0)
      << "whoever takes them counts them";
  // Beyond what may wait there, rows are dropped as without it.
  host.slow = true;
  write(3001, 9000);
  EXPECT_LT(static_cast<double>(host.given_up["spool_full"]), dropped());
  EXPECT_EQ(Metric("output_dropped_rows_total", {{"reason", "spool_full"}}) +
                static_cast<double>(host.given_up["spool_full"]),
            dropped());
  host.waiting.clear();
  const size_t before = host.given_up["spool_full"];
  write(9001, 12000);
  EXPECT_GT(host.given_up["spool_full"], before);
  output->Stop(Duration(0));
}

TEST_F(SpooledOutputTest, BoundsTheUnpackedMemoryOfWhatWaitsForTheDeadLetterOutput) {
  config.size = 128_KiB;  // two segments
  config.when_full = spool::WhenFull::kDropOldest;
  dead_letter = true;
  host.slow = true;
  to.room = false;
  auto output = Make();
  const std::string line(4000, 'x');
  size_t bytes = 0;
  for (uint64_t end = 100; end <= 80000; end += 100) {
    BatchPtr batch = BatchPool::Shared().Get();
    batch->origin = OriginId{7, 1};
    batch->begin = end - 100;
    for (uint64_t row = end - 100; row < end; ++row)
      batch->AddRow(batch->Copy(line), row, row + 1, 1);
    batch->end = batch->resume = end;
    bytes = std::max(bytes, batch->memory_bytes());
    output->Write(std::move(batch), NewAck());
    output->Step();
  }
  EXPECT_GT(Metric("output_dropped_rows_total", {{"reason", "spool_full"}}), 0);
  EXPECT_GE(host.waiting_bytes, SpooledOutput::kGivingUpMax);
  EXPECT_LT(host.waiting_bytes, SpooledOutput::kGivingUpMax + 2 * bytes);
  output->Stop(Duration(0));
}

TEST_F(SpooledOutputTest, KeepsUnwrittenBatchesUntilTheDiskTakesThem) {
  to.room = false;
  auto output = Make();
  env.disk().SetWriteBudget(10);
  output->Write(Rows(1, 1, 3), NewAck());
  output->Step();
  EXPECT_EQ(acks.done, 0);
  EXPECT_FALSE(output->HasRoom());
  output->Write(Rows(1, 4, 3), NewAck());
  env.disk().SetWriteBudget(UINT64_MAX);
  env.Advance(2s);
  output->Step();
  EXPECT_EQ(acks.done, 2);
  EXPECT_TRUE(output->HasRoom());
  EXPECT_EQ(host.room_available, 1);
  to.room = true;
  output->Step();
  EXPECT_EQ(to.ends[1], (std::vector<uint64_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(SpooledOutputTest, CutsBatchesThatAreTooLargeForOneRecord) {
  auto output = Make();
  // Bytes that do not compress: three rows of 9 MiB are more than a set may have.
  output->Write(Rows(1, 1, 3, 9u << 20), NewAck());
  output->Write(Rows(1, 4, 1, 40u << 20), NewAck());  // one row of which no set can be made
  output->Step();
  output->Step();
  EXPECT_EQ(to.ends[1], (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(acks.done, 2);
  EXPECT_EQ(host.given_up["too_large"], 1u);
}

TEST_F(SpooledOutputTest, DrainsWithAThreadWhileTheDestinationComesAndGoes) {
  auto output = Make(/*own_thread=*/true);
  for (uint64_t end = 1; end <= 2000; ++end) {
    if (end % 400 == 200) to.room = false;
    if (end % 400 == 0) to.room = true;
    output->Write(Rows(end % 3, end, 1), NewAck());
  }
  to.room = true;
  for (int i = 0; i < 1000 && Metric("spool_rows") + (acks.done == 2000 ? 0 : 1) != 0; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  output->Stop(1s);
  size_t rows = 0;
  for (const auto& [origin, ends] : to.ends) {
    EXPECT_TRUE(std::is_sorted(ends.begin(), ends.end()));
    rows += ends.size();
  }
  EXPECT_EQ(rows, 2000u);
  EXPECT_EQ(acks.done, 2000);
}

// Power cuts while the destination comes and goes. The destination removes repeats by
// origin and end, as a Kelp server does, so every acknowledged row must have come in order.
TEST_F(SpooledOutputTest, NothingAcknowledgedIsMissingAfterCrashes) {
  static auto* const dead = new std::vector<std::unique_ptr<SpooledOutput>>;
  std::mt19937_64 random(5);
  config.sync = spool::SyncMode::kAlways;
  auto output = Make();
  std::map<uint64_t, uint64_t> acked;  // by origin: what need not be read again
  std::map<uint64_t, uint64_t> read;
  struct OriginAck final : AckTarget {
    OriginAck(uint64_t& position, uint64_t to) : acked(position), end(to) {}
    void OnAck() override { acked = std::max(acked, end); }
    uint64_t& acked;
    const uint64_t end;
  };
  for (int i = 0; i < 3000; ++i) {
    switch (random() % 8) {
      case 0:
        to.room = random() % 3 != 0;
        break;
      case 1:
        to.answers = random() % 2 == 0;
        to.Answer();
        break;
      case 2:
        if (random() % 12 != 0) break;
        env.PowerCut();
        // Nothing of it runs any more: not its destructor either.
        dead->push_back(std::move(output));
        to.waiting.clear();
        output = Make();
        read = acked;
        break;
      case 3:
        env.Advance(300ms);
        output->Step();
        break;
      default: {
        const uint64_t origin = random() % 3;
        const uint64_t count = 1 + random() % 5;
        output->Write(Rows(origin, read[origin] + 1, count),
                      Ack(std::make_shared<OriginAck>(acked[origin], read[origin] + count)));
        read[origin] += count;
      }
    }
  }
  to.room = to.answers = true;
  to.Answer();
  for (int i = 0; i < 100; ++i) output->Step();
  for (const auto& [origin, ends] : to.ends) {
    uint64_t mark = 0;
    for (const uint64_t end : ends) {
      if (end <= mark) continue;
      EXPECT_EQ(end, mark + 1) << "a row was overtaken, and would never be stored";
      mark = end;
    }
    EXPECT_GE(mark, acked[origin]);
  }
}

}  // namespace
}  // namespace kelp::pipeline
