#include "processor/add_fields/add_fields_processor.h"

#include <gtest/gtest.h>

#include "processor/testing.h"

namespace kelp::processor {
namespace {

using testing::NewBatch;
using testing::Rows;
using Harness = testing::Harness<AddFieldsProcessor>;

TEST(AddFields, SetsConstantsInEverySelectedRow) {
  Harness harness("fields: {stage: production, team: shop}");
  const BatchPtr batch = NewBatch({"a", "b", "c"});
  batch->Select([](uint32_t row) { return row != 1; });
  harness.processor().Process(*batch);
  EXPECT_EQ(Rows(*batch),
            "{\"body\":\"a\",\"fields\":{\"stage\":\"production\",\"team\":\"shop\"}}\n"
            "{\"body\":\"c\",\"fields\":{\"stage\":\"production\",\"team\":\"shop\"}}\n");
  EXPECT_TRUE(batch->FindColumn("team")->Get(1).missing());
}

TEST(AddFields, SharesOneTextAmongAllRows) {
  Harness harness("fields: {team: shop}");
  const BatchPtr batch = NewBatch({"a", "b"});
  harness.processor().Process(*batch);
  const Column& team = *batch->FindColumn("team");
  EXPECT_EQ(team.Get(0).data, team.Get(1).data);
}

TEST(AddFields, KeepsWhatIsThereWhenAsked) {
  for (const bool overwrite : {true, false}) {
    Harness harness(overwrite ? "{fields: {a: new}}" : "{fields: {a: new}, overwrite: false}");
    const BatchPtr batch = NewBatch({"1", "2", "3"});
    batch->AddColumn("a").Set(0, Value::String("old"));
    batch->AddColumn("a").Set(1, Value::String(""));
    harness.processor().Process(*batch);
    EXPECT_EQ(batch->FindColumn("a")->Get(0).text(), overwrite ? "new" : "old");
    EXPECT_EQ(batch->FindColumn("a")->Get(1).text(), overwrite ? "new" : "");
    EXPECT_EQ(batch->FindColumn("a")->Get(2).text(), "new");
  }
}

TEST(AddFields, UsesTheOverflowColumnWhenNoneIsLeft) {
  Harness harness("fields: {team: shop}");
  const BatchPtr batch = NewBatch({"a"});
  for (int i = 0; batch->column_count() + 1 < Batch::kColumnsMax; ++i) {
    batch->AddColumn("c" + std::to_string(i));
  }
  harness.processor().Process(*batch);
  EXPECT_EQ(batch->FindColumn(Batch::kOverflowColumn)->Get(0).text(), "{\"team\":\"shop\"}");
}

TEST(AddFields, WantsAtLeastOneField) {
  EXPECT_FALSE(Harness("{}").status().ok());
  EXPECT_FALSE(Harness("fields: {}").status().ok());
}

}  // namespace
}  // namespace kelp::processor
