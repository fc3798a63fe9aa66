#include "processor/timestamp/timestamp_processor.h"

#include <gtest/gtest.h>

#include "processor/testing.h"

namespace kelp::processor {
namespace {

using testing::NewBatch;
using testing::Rows;
using Harness = testing::Harness<TimestampProcessor>;

TEST(Timestamp, TakesTheTimeOfTheRowFromAField) {
  Harness harness("{field: body, formats: [rfc3339, '%d/%b/%Y:%H:%M:%S %z']}");
  EXPECT_EQ(harness.Run({"2026-11-20T23:49:26.5Z", "21/Nov/2026:00:49:26 +0100"}),
            "{\"time\":\"2026-11-20T23:49:26.500000000Z\",\"body\":\"2026-11-20T23:49:26.5Z\","
            "\"fields\":{}}\n"
            "{\"time\":\"2026-11-20T23:49:26.000000000Z\",\"body\":\"21/Nov/2026:00:49:26 +0100\","
            "\"fields\":{}}\n");
}

TEST(Timestamp, DropsTheFieldWhenAsked) {
  Harness harness("{field: body, formats: epoch_auto, keep_source: false}");
  EXPECT_EQ(harness.Run({"1795218566"}),
            "{\"time\":\"2026-11-20T23:49:26.000000000Z\",\"fields\":{}}\n");
}

TEST(Timestamp, KnowsTimeZones) {
  Harness fixed("{field: body, formats: '%F %T', timezone: '+08:00'}");
  const std::string expected =
      "{\"time\":\"2026-11-20T15:49:26.000000000Z\",\"body\":\"2026-11-20 "
      "23:49:26\",\"fields\":{}}\n";
  EXPECT_EQ(fixed.Run({"2026-11-20 23:49:26"}), expected);
  if (!RealEnv().files().Stat("/usr/share/zoneinfo/Asia/Shanghai").ok()) {
    GTEST_SKIP() << "this machine has no tzdata";
  }
  Harness named("{field: body, formats: '%F %T', timezone: Asia/Shanghai}");
  EXPECT_EQ(named.Run({"2026-11-20 23:49:26"}), expected);
}

TEST(Timestamp, MarksOrDropsWhatIsNoTime) {
  Harness keep("{field: body, formats: rfc3339}");
  EXPECT_EQ(
      keep.Run({"yesterday"}),
      "{\"body\":\"yesterday\",\"fields\":{\"kelp.parse_error\":\"timestamp: none of the formats "
      "fits\"}}\n");
  EXPECT_EQ(keep.Count("processor_parse_errors_total"), 1);
  Harness drop("{field: body, formats: rfc3339, on_error: drop}");
  EXPECT_EQ(drop.Run({"yesterday"}), "");
  EXPECT_EQ(drop.Count("processor_dropped_rows_total", "parse_error"), 1);
}

TEST(Timestamp, FindsTheYearNearestToTheTimeOfTheRow) {
  Harness harness("{field: body, formats: '%b %d %H:%M:%S'}");
  const BatchPtr batch = NewBatch({"Dec 31 23:59:59"});
  batch->set_time(0, ParseRfc3339("2019-01-01T00:00:01Z").value());
  harness.processor().Process(*batch);
  EXPECT_EQ(FormatRfc3339(batch->time(0)), "2018-12-31T23:59:59.000000000Z");
}

TEST(Timestamp, RefusesFormatsAndZonesThatAreNone) {
  EXPECT_EQ(Harness("{field: t, formats: ['%Q']}").status().message(),
            "time format \"%Q\": unknown conversion \"%Q\" at 0");
  for (const std::string zone : {"Nowhere/Atall", "../../etc/passwd", "/etc/passwd", "+25:00"}) {
    const Harness harness("{field: t, formats: [rfc3339], timezone: '" + zone + "'}");
    EXPECT_EQ(harness.status().code(), Code::kInvalidArgument) << zone;
  }
  EXPECT_FALSE(Harness("{formats: [rfc3339]}").status().ok());
  EXPECT_FALSE(Harness("{field: t, formats: []}").status().ok());
}

}  // namespace
}  // namespace kelp::processor
