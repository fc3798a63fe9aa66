#include "batch/batch.h"

#include <gtest/gtest.h>

namespace kelp {
namespace {

void AddLines(Batch& batch, int n) {
  for (int i = 0; i < n; ++i) {
    batch.AddRow(batch.Copy("line " + std::to_string(i)), static_cast<uint64_t>(i) * 10,
                 static_cast<uint64_t>(i) * 10 + 10, kNoTime);
  }
}

std::vector<uint32_t> Selected(const Batch& batch) {
  std::vector<uint32_t> rows;
  batch.ForEach([&](uint32_t row) { rows.push_back(row); });
  return rows;
}

TEST(BatchTest, SelectionNarrowsStepByStep) {
  Batch batch;
  AddLines(batch, 10);
  EXPECT_EQ(batch.Select([](uint32_t) { return true; }), 0u);
  EXPECT_TRUE(batch.all_selected());
  EXPECT_EQ(batch.Select([](uint32_t row) { return row % 2 == 1; }), 5u);
  EXPECT_EQ(batch.Select([](uint32_t row) { return row > 4; }), 2u);
  EXPECT_EQ(Selected(batch), (std::vector<uint32_t>{5, 7, 9}));
}

TEST(BatchTest, FieldsAreMissingUntilSet) {
  Batch batch;
  AddLines(batch, 3);
  batch.AddColumn("level").Set(1, Value::String("warn"));
  EXPECT_TRUE(batch.FindColumn("level")->Get(0).missing());
  EXPECT_EQ(batch.FindColumn("level")->Get(1).text(), "warn");
  EXPECT_EQ(&batch.AddColumn("level"), batch.FindColumn("level"));
  EXPECT_EQ(batch.FindColumn("nothing"), nullptr);
}

TEST(BatchTest, ReuseForgetsOldFields) {
  Batch batch;
  AddLines(batch, 3);
  batch.AddColumn("level").Set(1, Value::String("warn"));
  batch.Reset();
  AddLines(batch, 2);
  EXPECT_EQ(batch.FindColumn("level"), nullptr);
  EXPECT_TRUE(batch.AddColumn("level").Get(1).missing());
}

TEST(BatchTest, FieldsPastTheLastColumnGoIntoOneOverflowColumn) {
  Batch batch;
  AddLines(batch, 1);
  for (int i = 0; i < 300; ++i) {
    batch.SetField(0, "key" + std::to_string(i), i % 2 ? Value::String("a\"b") : Value::Json("1"));
  }
  EXPECT_EQ(batch.column_count(), Batch::kColumnsMax);
  const std::string text(batch.FindColumn(Batch::kOverflowColumn)->Get(0).text());
  EXPECT_EQ(text.substr(0, 32), "{\"key254\":1,\"key255\":\"a\\\"b\",\"key");
  EXPECT_EQ(text.back(), '}');
}

TEST(BatchTest, ChargesItsBudgetUntilReset) {
  MemoryBudget budget(1_MiB);
  {
    const BatchPtr batch = BatchPool::Shared().Get();
    ASSERT_TRUE(budget.TryReserve(4096));
    batch->Charge(&budget, 4096);
    AddLines(*batch, 1000);
    batch->ChargeActual();
    EXPECT_EQ(budget.used(), batch->memory_bytes());
    EXPECT_GT(budget.used(), 16000u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(BufferPoolTest, RoundsUpToClassesAndRecycles) {
  BufferPool pool;
  char* first;
  {
    Buffer buffer = pool.Get(5000);
    EXPECT_EQ(buffer.capacity(), 16384u);
    first = buffer.data();
  }
  EXPECT_EQ(pool.Get(16384).data(), first);
  EXPECT_EQ(pool.Get(3u << 20).capacity(), 3u << 20);
}

TEST(ResourceTest, SortsTagsAndLetsTheLastOneWin) {
  const Resource a({{"pod", "x"}, {"app", "web"}, {"pod", "y"}});
  EXPECT_EQ(a.Get("pod"), "y");
  EXPECT_EQ(a.Get("none"), "");
  EXPECT_EQ(a.tags().size(), 2u);
  EXPECT_EQ(a.hash(), Resource({{"app", "web"}, {"pod", "y"}}).hash());
}

}  // namespace
}  // namespace kelp
