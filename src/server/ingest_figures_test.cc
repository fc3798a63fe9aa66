#include "server/ingest_figures.h"

#include <gtest/gtest.h>

namespace kelp::server {
namespace {

class TestClock final : public Clock {
 public:
  UnixNanos Now() override { return now.count(); }
  Duration Monotonic() override { return now; }
  Duration now = 1000s;
};

const store::LogstoreName kLogs{"default", "logs"};

TEST(IngestFigures, RatesAreOfTheLastMinute) {
  TestClock clock;
  IngestFigures figures(clock);
  clock.now += 1h;
  EXPECT_EQ(figures.RateOf(kLogs).rows, 0);
  for (int second = 0; second < 300; ++second) {
    figures.NoteRows(kLogs, 10, 1000);
    clock.now += 1s;
  }
  EXPECT_NEAR(figures.RateOf(kLogs).rows, 10, 1);
  EXPECT_NEAR(figures.RateOf(kLogs).bytes, 1000, 100);
  clock.now += 30s;
  EXPECT_NEAR(figures.RateOf(kLogs).rows, 5, 1);
  clock.now += 30s;
  EXPECT_EQ(figures.RateOf(kLogs).rows, 0);
  EXPECT_EQ(figures.RateOf({"default", "other"}).rows, 0);
}

TEST(IngestFigures, AYoungServerCountsOnlyTheTimeItHasSeen) {
  TestClock clock;
  IngestFigures figures(clock);
  figures.NoteRows(kLogs, 100, 0);
  clock.now += 10s;
  EXPECT_NEAR(figures.RateOf(kLogs).rows, 10, 0.1);
}

TEST(IngestFigures, AgentsAreKnownByTheirHost) {
  TestClock clock;
  IngestFigures figures(clock);
  figures.NoteAgent({"node-1", "1.0", "web", "10.0.0.7"}, kLogs, 5, 50);
  clock.now += 1s;
  figures.NoteAgent({"node-1", "1.1", "db", "10.0.0.8"}, {"default", "db"}, 7, 70);
  figures.NoteAgent({"node-0", "", "", "10.0.0.9"}, kLogs, 0, 0);
  const auto agents = figures.Agents("");
  ASSERT_EQ(agents.size(), 2u);
  EXPECT_EQ(agents[1].last.version, "1.1");
  EXPECT_EQ(agents[1].last.address, "10.0.0.8");
  EXPECT_EQ(agents[1].rows, 12u);
  EXPECT_EQ(agents[1].pipelines, (std::set<std::string>{"db", "web"}));
  EXPECT_EQ(agents[1].logstores.size(), 2u);
  EXPECT_EQ(agents[1].last_seen, clock.Now());
  EXPECT_TRUE(agents[0].pipelines.empty());
}

TEST(IngestFigures, AProjectSeesOfAnAgentOnlyWhatWasSentToIt) {
  TestClock clock;
  IngestFigures figures(clock);
  figures.NoteAgent({"node-1", "1.0", "web", "10.0.0.7"}, kLogs, 5, 50);
  const UnixNanos then = clock.Now();
  clock.now += 1s;
  figures.NoteAgent({"node-1", "1.1", "db", "10.0.0.8"}, {"other", "db"}, 7, 70);
  figures.NoteAgent({"node-2", "1.1", "db", "10.0.0.9"}, {"other", "db"}, 1, 10);
  const auto seen = figures.Agents("default");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].rows, 5u);
  EXPECT_EQ(seen[0].bytes, 50u);
  EXPECT_EQ(seen[0].last.version, "1.0");
  EXPECT_EQ(seen[0].last.address, "10.0.0.7");
  EXPECT_EQ(seen[0].last_seen, then);
  EXPECT_EQ(seen[0].pipelines, (std::set<std::string>{"web"}));
  EXPECT_EQ(seen[0].logstores, (std::set<store::LogstoreName>{kLogs}));
  const auto all = figures.Agents("");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].rows, 12u);
  EXPECT_EQ(all[0].last.version, "1.1");
  EXPECT_EQ(all[0].logstores.size(), 2u);
  EXPECT_TRUE(figures.Agents("none").empty());
}

TEST(IngestFigures, TheLongestSilentAgentGoes) {
  TestClock clock;
  IngestFigures figures(clock);
  for (size_t i = 0; i <= IngestFigures::kAgentsMax; ++i) {
    clock.now += 1s;
    figures.NoteAgent({"n" + std::to_string(i), "", "", ""}, kLogs, 1, 1);
  }
  const auto agents = figures.Agents("");
  EXPECT_EQ(agents.size(), IngestFigures::kAgentsMax);
  EXPECT_TRUE(std::none_of(agents.begin(), agents.end(),
                           [](const auto& agent) { return agent.last.host == "n0"; }));
}

TEST(AgentOf, ReadsTheHeaderThenTagsThenTheAddress) {
  net::HttpRequest request;
  request.remote = "[::1]:5000";
  EXPECT_EQ(AgentOf(request, {}).host, "[::1]");
  auto batch = BatchPool::Shared().Get();
  batch->set_resource(
      std::make_shared<const Resource>(std::vector<Resource::Tag>{{"k8s.node.name", "node-7"}}));
  std::vector<BatchPtr> batches;
  batches.push_back(std::move(batch));
  EXPECT_EQ(AgentOf(request, batches).host, "node-7");
  request.headers.Set("Kelp-Agent", "host=a%20b; version=1.2;pipeline=%E6%97%A5; junk; =; x=%zz");
  const AgentNote note = AgentOf(request, batches);
  EXPECT_EQ(note.host, "a b");
  EXPECT_EQ(note.version, "1.2");
  EXPECT_EQ(note.pipeline, "日");
  EXPECT_EQ(note.address, "[::1]");
  request.headers.Set("Kelp-Agent", "host=" + std::string(10'000, 'x'));
  EXPECT_EQ(AgentOf(request, {}).host.size(), 256u);
}

}  // namespace
}  // namespace kelp::server
