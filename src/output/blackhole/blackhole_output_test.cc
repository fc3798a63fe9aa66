#include "output/blackhole/blackhole_output.h"

#include <gtest/gtest.h>

#include "output/common/testing.h"

namespace kelp::output {
namespace {

TEST(BlackholeOutput, AcknowledgesAtOnceAndCounts) {
  testing::Fixture fixture;
  auto output = BlackholeOutput::Create({}, fixture.Context());
  ASSERT_TRUE(output.ok());
  ASSERT_TRUE((*output)->Start(fixture.host).ok());
  (*output)->Write(testing::NewBatch({"one", "three"}), testing::NewAck(fixture.acks));
  EXPECT_EQ(fixture.acks->done, 1);
  EXPECT_TRUE((*output)->HasRoom());
  EXPECT_EQ(fixture.Metric("output_sent_rows_total"), 2);
  EXPECT_EQ(fixture.Metric("output_sent_bytes_total"), 8);
  (*output)->Stop(0s);
}

TEST(BlackholeOutput, CountsOnlySelectedRows) {
  testing::Fixture fixture;
  BlackholeOutput output(fixture.Context());
  BatchPtr batch = BatchPool::Shared().Get();
  batch->AddRow("keep", 0, 1, kNoTime);
  batch->AddRow("drop", 1, 2, kNoTime);
  batch->Select([](uint32_t row) { return row == 0; });
  output.Write(SharedBatch(std::move(batch)), testing::NewAck(fixture.acks));
  EXPECT_EQ(fixture.Metric("output_sent_rows_total"), 1);
}

TEST(BlackholeOutput, RefusesUnknownKeys) {
  EXPECT_FALSE(BlackholeOutput::ConfigSchema().ParseText("path: /tmp/x").ok());
}

}  // namespace
}  // namespace kelp::output
