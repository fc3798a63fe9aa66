#include "domain/library.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "domain/domain.h"

namespace kelp::domain {
namespace {

class LibraryTest : public testing::Test {
 protected:
  LibraryTest() {
    char dir[] = "/tmp/kelp_library_XXXXXX";
    dir_ = mkdtemp(dir);
    domain_ = *Domain::Open(RealEnv(), dir_ + "/domain.db");
    EXPECT_TRUE(domain_->CreateProject("web").ok());
    EXPECT_TRUE(domain_->CreateProject("app").ok());
    library_ = *Library::Open(RealEnv(), dir_ + "/domain.db");
  }
  ~LibraryTest() override { std::filesystem::remove_all(dir_); }

  Status Put(const std::string& name, const std::string& json, const Library::Rights& rights) {
    return library_->Put("web", "search", {name, json, "", 0}, rights).status();
  }

  const Library::Rights ann_{"ann", false};
  const Library::Rights bob_{"bob", false};
  const Library::Rights admin_{"admin", true};
  std::string dir_;
  std::unique_ptr<Domain> domain_;
  std::unique_ptr<Library> library_;
};

TEST_F(LibraryTest, KeepsDocumentsByKindAndName) {
  ASSERT_TRUE(Put("Errors 错误", "{\"q\":1}", ann_).ok());
  ASSERT_TRUE(Put("Errors 错误", "{\"q\":2}", ann_).ok());
  ASSERT_TRUE(library_->Put("web", "dashboard", {"Errors 错误", "{}", "", 0}, bob_).ok());
  library_ = *Library::Open(RealEnv(), dir_ + "/domain.db");
  const auto list = *library_->List("web", "search");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].name, "Errors 错误");
  EXPECT_EQ(list[0].json, "{\"q\":2}");
  EXPECT_EQ(list[0].owner, "ann");
  EXPECT_GT(list[0].updated, 0);
  EXPECT_EQ(library_->Find("web", "dashboard", "Errors 错误")->json, "{}");
  EXPECT_EQ(library_->Find("app", "search", "Errors 错误").status().code(), Code::kNotFound);
  EXPECT_EQ(library_->List("none", "search").status().code(), Code::kNotFound);
}

TEST_F(LibraryTest, LetsOwnersAndAdministratorsChange) {
  ASSERT_TRUE(Put("a", "{}", ann_).ok());
  EXPECT_EQ(Put("a", "{\"x\":1}", bob_).code(), Code::kPermissionDenied);
  EXPECT_EQ(library_->Delete("web", "search", "a", bob_).code(), Code::kPermissionDenied);
  EXPECT_TRUE(Put("a", "{\"x\":2}", admin_).ok());
  EXPECT_EQ(library_->Find("web", "search", "a")->owner, "ann");
  EXPECT_TRUE(library_->Delete("web", "search", "a", ann_).ok());
  EXPECT_EQ(library_->Delete("web", "search", "a", ann_).code(), Code::kNotFound);
}

TEST_F(LibraryTest, RefusesNamesAndSizesOutOfBounds) {
  for (const std::string& name : {std::string(), std::string("a/b"), std::string(" a"),
                                  std::string("a\n"), std::string(129, 'a')}) {
    EXPECT_EQ(Put(name, "{}", ann_).code(), Code::kInvalidArgument) << name;
  }
  EXPECT_EQ(Put("a", std::string(Library::kDocumentBytesMax + 1, ' '), ann_).code(),
            Code::kInvalidArgument);
}

TEST_F(LibraryTest, RemembersQueriesOfEachCaller) {
  const auto remember = [&](const std::string& owner, const std::string& query, int64_t rows) {
    ASSERT_TRUE(library_->Remember("web", owner, {query, "logs", "-1h", "now", 0, 5, rows}).ok());
  };
  remember("ann", "a", 1);
  remember("bob", "b", 1);
  remember("ann", "a", 2);
  remember("ann", "c", 3);
  remember("ann", "a", 4);
  const auto ann = *library_->History("web", "ann", 10);
  ASSERT_EQ(ann.size(), 3u);  // the same twice in a row stands once
  EXPECT_EQ(ann[0].rows, 4);
  EXPECT_EQ(ann[1].query, "c");
  EXPECT_EQ(ann[2].rows, 2);
  EXPECT_EQ(ann[2].from, "-1h");
  EXPECT_EQ(library_->History("web", "ann", 1)->size(), 1u);
  ASSERT_TRUE(library_->Forget("web", "ann").ok());
  EXPECT_TRUE(library_->History("web", "ann", 10)->empty());
  EXPECT_EQ(library_->History("web", "bob", 10)->size(), 1u);
  EXPECT_TRUE(library_->History("app", "bob", 10)->empty());
  EXPECT_EQ(library_->Remember("none", "ann", {}).code(), Code::kNotFound);
}

TEST_F(LibraryTest, TheOldestQueriesGo) {
  for (int64_t i = 0; i < Library::kHistoryMax + 5; ++i) {
    ASSERT_TRUE(library_->Remember("web", "ann", {std::to_string(i), "", "", "", 0, 0, 0}).ok());
  }
  const auto all = *library_->History("web", "ann", INT64_MAX);
  ASSERT_EQ(static_cast<int64_t>(all.size()), Library::kHistoryMax);
  EXPECT_EQ(all.back().query, "5");
}

TEST_F(LibraryTest, GoesWithItsProject) {
  ASSERT_TRUE(Put("a", "{}", ann_).ok());
  ASSERT_TRUE(library_->Remember("web", "ann", {}).ok());
  ASSERT_TRUE(domain_->DeleteProject("web").ok());
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  EXPECT_TRUE(library_->List("web", "search")->empty());
  EXPECT_TRUE(library_->History("web", "ann", 10)->empty());
}

}  // namespace
}  // namespace kelp::domain
