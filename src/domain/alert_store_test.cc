#include "domain/alert_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "domain/domain.h"

namespace kelp::domain {
namespace {

class AlertStoreTest : public testing::Test {
 protected:
  AlertStoreTest() {
    char dir[] = "/tmp/kelp_alerts_XXXXXX";
    dir_ = mkdtemp(dir);
    domain_ = *Domain::Open(RealEnv(), dir_ + "/domain.db");
    EXPECT_TRUE(domain_->CreateProject("shop").ok());
    store_ = *AlertStore::Open(dir_ + "/domain.db");
  }
  ~AlertStoreTest() override { std::filesystem::remove_all(dir_); }

  std::string dir_;
  std::unique_ptr<Domain> domain_;
  std::unique_ptr<AlertStore> store_;
};

TEST_F(AlertStoreTest, KeepsDefinitionAndStateTogether) {
  ASSERT_TRUE(store_->Put({"shop", "errors", "{}", ""}).ok());
  ASSERT_TRUE(store_->SaveState("shop", "errors", "{\"a\":1}").ok());
  store_ = *AlertStore::Open(dir_ + "/domain.db");
  const auto all = store_->All();
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ((*all)[0].state, "{\"a\":1}");
  ASSERT_TRUE(store_->Put({"shop", "errors", "{\"b\":2}", ""}).ok());
  EXPECT_EQ((*store_->All())[0].definition, "{\"b\":2}");
  EXPECT_EQ((*store_->All())[0].state, "");
}

TEST_F(AlertStoreTest, AlertsGoWithTheirProject) {
  ASSERT_TRUE(store_->Put({"shop", "errors", "{}", ""}).ok());
  ASSERT_TRUE(domain_->DeleteProject("shop").ok());
  EXPECT_TRUE(store_->All()->empty());
  EXPECT_EQ(store_->SaveState("shop", "errors", "{}").code(), Code::kNotFound);
}

TEST_F(AlertStoreTest, RefusesWhatCannotBe) {
  EXPECT_EQ(store_->Put({"none", "errors", "{}", ""}).code(), Code::kNotFound);
  EXPECT_EQ(store_->Put({"shop", "Two Words", "{}", ""}).code(), Code::kInvalidArgument);
  EXPECT_EQ(store_->Delete("shop", "errors").code(), Code::kNotFound);
  for (int64_t i = 0; i < AlertStore::kAlertsMax; ++i) {
    ASSERT_TRUE(store_->Put({"shop", "a" + std::to_string(i), "{}", ""}).ok());
  }
  EXPECT_EQ(store_->Put({"shop", "more", "{}", ""}).code(), Code::kResourceExhausted);
  EXPECT_TRUE(store_->Put({"shop", "a0", "{}", ""}).ok());
}

}  // namespace
}  // namespace kelp::domain
