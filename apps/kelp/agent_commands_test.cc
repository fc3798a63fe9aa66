// `kelp agents ledger` and `kelp checkpoints`.
#include <gtest/gtest.h>

#include "agent/ledger_json.h"
#include "net/http_server.h"
#include "tail/checkpoint.h"
#include "test_context.h"

namespace kelp::cli {
namespace {

using testing::TempDir;
using testing::TestContext;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<pipeline::LedgerEntry> SomeEntries() {
  pipeline::LedgerEntry live;
  live.pipeline = "web";
  live.name = "/var/log/\x1b[31mred.log";
  live.origin = {1, 2};
  live.position = 1000;
  live.size = 3048;
  live.figures.read_rows = 10;
  live.figures.delivered_rows = 7;
  live.figures.in_flight_rows = 1;
  live.figures.read_bytes = live.figures.acknowledged_bytes = 1000;
  live.figures.filtered.Add("filter", 2);
  pipeline::LedgerEntry ended;
  ended.pipeline = "web";
  ended.is_sum = true;
  ended.ended_origins = 3;
  ended.figures.lost_bytes.Add("truncated", 2048);
  return {live, ended};
}

class LedgerCommandTest : public ::testing::Test {
 protected:
  int Run(std::vector<std::string> words, const std::vector<pipeline::LedgerEntry>& entries) {
    const std::string body = agent::LedgerJson(entries);
    auto server = net::HttpServer::Start(
        {}, [body, this](net::HttpRequest request, std::shared_ptr<net::Responder> out) {
          asked_ = request.QueryParam("pipeline").value_or("");
          out->Send(net::Json(200, body));
        });
    EXPECT_TRUE(server.ok());
    words.insert(words.begin(), {"agents", "ledger"});
    words.insert(words.end(), {"--agent", (*server)->address()});
    return t_.Run(words);
  }
  TestContext t_;
  std::string asked_;
};

TEST_F(LedgerCommandTest, ShowsATableThatAddsUp) {
  EXPECT_EQ(Run({"--pipeline", "web"}, SomeEntries()), kExitOk) << t_.printer.err;
  EXPECT_EQ(asked_, "web");
  const std::string& out = t_.printer.out;
  EXPECT_TRUE(Contains(out, "(3 ended)")) << out;
  EXPECT_TRUE(Contains(out, "2KiB")) << out;
  EXPECT_TRUE(Contains(out, "\u2713")) << out;
  EXPECT_TRUE(Contains(out, "filtered rows: 2 filter\n")) << out;
  EXPECT_TRUE(Contains(out, "lost bytes: 2048 truncated\n")) << out;
  EXPECT_FALSE(Contains(out, "\x1b")) << out;
}

TEST_F(LedgerCommandTest, SaysWhenItDoesNotAddUp) {
  auto entries = SomeEntries();
  entries[0].figures.delivered_rows = 6;
  EXPECT_EQ(Run({}, entries), kExitDiffers);
  EXPECT_TRUE(Contains(t_.printer.out, "DIFFERS")) << t_.printer.out;
  EXPECT_TRUE(Contains(t_.printer.err, "does not add up")) << t_.printer.err;
}

TEST_F(LedgerCommandTest, SortsByAFigureAndPrintsJson) {
  EXPECT_EQ(Run({"--sort", "lost"}, SomeEntries()), kExitOk);
  EXPECT_LT(t_.printer.out.find("ended"), t_.printer.out.find("red.log")) << t_.printer.out;
  EXPECT_EQ(Run({"--json"}, SomeEntries()), kExitOk);
  EXPECT_EQ(t_.printer.out, agent::LedgerJson(SomeEntries()));
  EXPECT_EQ(t_.Run({"agents", "ledger", "--agent", "127.0.0.1:1"}), kExitUnavailable);
}

class CheckpointCommandTest : public ::testing::Test {
 protected:
  CheckpointCommandTest() {
    auto store = tail::OpenCheckpointDatabase(RealEnv(), dir_.path() + "/checkpoints.db");
    EXPECT_TRUE(store.ok() && (*store)->Start("web/file").ok());
    tail::CheckpointChanges changes;
    for (const uint64_t n : {1, 2}) {
      tail::Checkpoint c;
      c.origin = {n, n};
      c.space = "web/file";
      c.path = "/var/log/" + std::to_string(n) + ".log";
      c.resume = c.emitted = 100 * n;
      c.seen = 1000 * n;
      changes.put.push_back(c);
    }
    EXPECT_TRUE((*store)->Write(changes).ok());
  }
  int Run(std::vector<std::string> words) {
    words.insert(words.begin(), "checkpoints");
    words.insert(words.end(), {"--data-dir", dir_.path()});
    return t_.Run(words);
  }
  TestContext t_;
  const TempDir dir_;
};

TEST_F(CheckpointCommandTest, ListsThem) {
  EXPECT_EQ(Run({"list"}), kExitOk) << t_.printer.err;
  EXPECT_TRUE(Contains(t_.printer.out, "/var/log/2.log")) << t_.printer.out;
  EXPECT_TRUE(Contains(t_.printer.out, "2000")) << t_.printer.out;
  EXPECT_EQ(Run({"list", "--json"}), kExitOk);
  EXPECT_TRUE(Contains(t_.printer.out, "\"offset\":200")) << t_.printer.out;
  EXPECT_TRUE(Contains(t_.printer.out, "\"seen\":2000")) << t_.printer.out;
  EXPECT_EQ(t_.Run({"checkpoints", "list", "--data-dir", dir_.path() + "/none"}), kExitData);
}

TEST_F(CheckpointCommandTest, AsksARunningAgentForThem) {
  auto held = tail::OpenCheckpointDatabase(RealEnv(), dir_.path() + "/checkpoints.db");
  ASSERT_TRUE(held.ok());
  std::string data_dir = dir_.path();
  auto entries = SomeEntries();
  entries[0].begin = 600;
  entries[0].figures.acknowledged_bytes = 300;
  auto server = net::HttpServer::Start(
      {}, [&](const net::HttpRequest& request, const std::shared_ptr<net::Responder>& out) {
        out->Send(net::Json(200, request.path == "/api/v1/status"
                                     ? "{\"data_dir\":\"" + data_dir + "\"}"
                                     : agent::LedgerJson(entries)));
      });
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(Run({"list", "--json", "--agent", (*server)->address()}), kExitOk) << t_.printer.err;
  EXPECT_TRUE(Contains(t_.printer.out, "\"offset\":900,\"size\":3048}\n")) << t_.printer.out;
  EXPECT_EQ(Run({"list", "--agent", (*server)->address()}), kExitOk) << t_.printer.err;
  EXPECT_TRUE(Contains(t_.printer.out, "red.log")) << t_.printer.out;
  EXPECT_FALSE(Contains(t_.printer.out, "\x1b")) << t_.printer.out;
  data_dir = "/of/another";
  EXPECT_EQ(Run({"list", "--agent", (*server)->address()}), kExitUnavailable);
  EXPECT_TRUE(Contains(t_.printer.err, "--agent")) << t_.printer.err;
}

TEST_F(CheckpointCommandTest, SetsAndRemovesWithTheFigures) {
  EXPECT_EQ(Run({"set", "/var/log/1.log", "--offset", "150"}), kExitOk) << t_.printer.err;
  EXPECT_EQ(t_.printer.out, "/var/log/1.log: 100 -> 150\n");
  EXPECT_EQ(Run({"set", "/var/log/1.log", "--offset", "0"}), kExitOk) << t_.printer.err;
  EXPECT_TRUE(Contains(t_.printer.out, "its origin is now")) << t_.printer.out;
  EXPECT_EQ(Run({"set", "/var/log/1.log"}), kExitUsage);
  EXPECT_EQ(Run({"set", "/var/log/3.log", "--offset", "0"}), kExitData);
  EXPECT_EQ(Run({"remove", "/var/log/1.log"}), kExitOk) << t_.printer.err;
  EXPECT_EQ(t_.printer.out, "/var/log/1.log: was at 0\n1 of 2 checkpoints removed\n");
  EXPECT_EQ(Run({"list"}), kExitOk);
  EXPECT_FALSE(Contains(t_.printer.out, "1.log")) << t_.printer.out;
}

TEST_F(CheckpointCommandTest, ChangesNothingBesideARunningAgent) {
  const auto lock = RealEnv().files().Lock(dir_.path() + "/agent.lock");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(Run({"set", "/var/log/1.log", "--offset", "0"}), kExitUnavailable);
  EXPECT_TRUE(Contains(t_.printer.err, "stop it first")) << t_.printer.err;
  EXPECT_EQ(Run({"remove", "/var/log/1.log"}), kExitUnavailable);
}

}  // namespace
}  // namespace kelp::cli
