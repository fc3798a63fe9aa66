#include "domain/domain.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "domain/secret.h"
#include "domain/sqlite.h"

namespace kelp::domain {
namespace {

// The real machine with a clock that the test moves.
class TestEnv final : public Env {
 public:
  class TestClock final : public Clock {
   public:
    UnixNanos Now() override { return now; }
    Duration Monotonic() override { return Duration(now); }
    UnixNanos now = 1'800'000'000'000'000'000;
  };
  Clock& clock() override { return test_clock; }
  FileSystem& files() override { return RealEnv().files(); }
  Random& random() override { return RealEnv().random(); }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override {
    return UnimplementedError("not in this test");
  }
  TestClock test_clock;
};

class DomainTest : public testing::Test {
 protected:
  DomainTest() {
    char dir[] = "/tmp/kelp_domain_XXXXXX";
    dir_ = mkdtemp(dir);
    path_ = dir_ + "/domain.db";
    Reopen();
  }
  ~DomainTest() override {
    domain_.reset();
    std::filesystem::remove_all(dir_);
  }
  void Reopen() {
    domain_.reset();
    auto domain = Domain::Open(env_, path_);
    ASSERT_TRUE(domain.ok()) << domain.status().ToString();
    domain_ = *std::move(domain);
  }
  std::string FileBytes() {
    std::string bytes;
    for (const char* suffix : {"", "-wal"}) {
      std::ifstream in(path_ + suffix, std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(in), {});
    }
    return bytes;
  }

  TestEnv env_;
  std::string dir_;
  std::string path_;
  std::unique_ptr<Domain> domain_;
};

TEST_F(DomainTest, KeepsProjectsAndLogstores) {
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  ASSERT_TRUE(domain_->CreateProject("app").ok());
  ASSERT_TRUE(domain_->CreateLogstore({"web", "logs", 720h, 10_GiB}).ok());
  ASSERT_TRUE(domain_->CreateLogstore({"web", "audit", {}, {}}).ok());
  Reopen();
  const auto projects = *domain_->Projects();
  ASSERT_EQ(projects.size(), 2u);
  EXPECT_EQ(projects[0].name, "app");
  EXPECT_EQ(projects[1].logstores, 2);
  const auto logstores = *domain_->Logstores("web");
  ASSERT_EQ(logstores.size(), 2u);
  EXPECT_EQ(logstores[0].name, "audit");
  EXPECT_FALSE(logstores[0].retention || logstores[0].retention_size);
  EXPECT_EQ(logstores[1].retention, Duration(720h));
  EXPECT_EQ(logstores[1].retention_size, 10_GiB);
}

TEST_F(DomainTest, ChangesRetention) {
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  ASSERT_TRUE(domain_->CreateLogstore({"web", "logs", 720h, {}}).ok());
  ASSERT_TRUE(domain_->UpdateLogstore({"web", "logs", {}, 1_GiB}).ok());
  const Logstore logstore = *domain_->FindLogstore("web", "logs");
  EXPECT_FALSE(logstore.retention);
  EXPECT_EQ(logstore.retention_size, 1_GiB);
  EXPECT_EQ(domain_->UpdateLogstore({"web", "none", {}, {}}).code(), Code::kNotFound);
}

TEST_F(DomainTest, DeletesAProjectWithItsLogstores) {
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  ASSERT_TRUE(domain_->CreateLogstore({"web", "logs", {}, {}}).ok());
  ASSERT_TRUE(domain_->DeleteProject("web").ok());
  EXPECT_TRUE(domain_->AllLogstores()->empty());
  EXPECT_EQ(domain_->DeleteProject("web").code(), Code::kNotFound);
  EXPECT_EQ(domain_->Logstores("web").status().code(), Code::kNotFound);
}

TEST_F(DomainTest, RefusesWhatExistsAndWhatDoesNot) {
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  EXPECT_EQ(domain_->CreateProject("web").code(), Code::kAlreadyExists);
  ASSERT_TRUE(domain_->CreateLogstore({"web", "logs", {}, {}}).ok());
  EXPECT_EQ(domain_->CreateLogstore({"web", "logs", {}, {}}).code(), Code::kAlreadyExists);
  EXPECT_EQ(domain_->CreateLogstore({"none", "logs", {}, {}}).code(), Code::kNotFound);
  EXPECT_EQ(domain_->FindLogstore("web", "none").status().code(), Code::kNotFound);
  EXPECT_EQ(domain_->DeleteLogstore("web", "none").code(), Code::kNotFound);
}

TEST_F(DomainTest, RefusesNamesThatCouldNotBeFolders) {
  for (const char* name : {"", "A", "a/b", "..", ".hidden", "-x", "a b", "\xc3\xa4"}) {
    EXPECT_EQ(domain_->CreateProject(name).code(), Code::kInvalidArgument) << name;
  }
  EXPECT_FALSE(domain_->CreateProject(std::string(129, 'a')).ok());
  EXPECT_TRUE(domain_->CreateProject("team-a_1.x").ok());
}

TEST_F(DomainTest, KnowsTokensByTheirHashOnly) {
  const std::string token = NewToken(env_.random());
  EXPECT_FALSE(*domain_->HasToken(Role::kIngest));
  ASSERT_TRUE(domain_->AddToken(token, Role::kIngest, "agents").ok());
  EXPECT_EQ(domain_->RoleOfToken(token), Role::kIngest);
  EXPECT_EQ(domain_->RoleOfToken(token), Role::kIngest);  // from memory
  EXPECT_EQ(domain_->RoleOfToken(token + "x"), std::nullopt);
  EXPECT_EQ(domain_->RoleOfToken(""), std::nullopt);
  EXPECT_EQ(domain_->RoleOfSession(token), std::nullopt);
  EXPECT_TRUE(*domain_->HasToken(Role::kIngest));
  EXPECT_FALSE(*domain_->HasToken(Role::kAdmin));
  EXPECT_EQ(FileBytes().find(token), std::string::npos);
  Reopen();
  EXPECT_EQ(domain_->RoleOfToken(token), Role::kIngest);
}

TEST_F(DomainTest, ListsTokensAndWhenTheyWereUsed) {
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  ASSERT_TRUE(domain_->AddToken("one", Role::kAdmin, "b").ok());
  ASSERT_TRUE(domain_->AddToken("two", Role::kViewer, "a", "web").ok());
  EXPECT_EQ(domain_->AddToken("x", Role::kViewer, "a", "none").code(), Code::kNotFound);
  EXPECT_FALSE(domain_->AddToken("x", Role::kViewer, std::string(129, 'n')).ok());
  auto tokens = *domain_->Tokens();
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].name, "a");
  EXPECT_EQ(tokens[0].project, "web");
  EXPECT_EQ(tokens[0].id, Domain::IdOfToken("two"));
  EXPECT_EQ(tokens[0].last_used, kNoTime);
  EXPECT_EQ(tokens[1].role, Role::kAdmin);
  EXPECT_EQ(domain_->CallerOfToken("two")->project, "web");
  EXPECT_EQ(domain_->CallerOfToken("two")->id, tokens[0].id);
  const UnixNanos used = env_.test_clock.now;
  EXPECT_EQ((*domain_->Tokens())[0].last_used, used);
  env_.test_clock.now += kLastUsedStep.count() - 1;
  EXPECT_TRUE(domain_->CallerOfToken("two"));
  EXPECT_EQ((*domain_->Tokens())[0].last_used, used);
  env_.test_clock.now += 1;
  EXPECT_TRUE(domain_->CallerOfToken("two"));
  EXPECT_EQ((*domain_->Tokens())[0].last_used, env_.test_clock.now);
}

TEST_F(DomainTest, ATokenThatGoesTakesItsSessionsAlong) {
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  ASSERT_TRUE(domain_->AddToken("admin", Role::kAdmin, "").ok());
  ASSERT_TRUE(domain_->AddToken("scoped", Role::kAdmin, "", "web").ok());
  const Session session = *domain_->StartSession(*domain_->CallerOfToken("scoped"));
  EXPECT_EQ(domain_->CallerOfSession(session.secret)->project, "web");
  EXPECT_EQ(domain_->CallerOfSession(session.secret)->id, Domain::IdOfToken("scoped"));
  ASSERT_TRUE(domain_->DeleteToken(Domain::IdOfToken("scoped")).ok());
  EXPECT_FALSE(domain_->CallerOfToken("scoped"));
  EXPECT_FALSE(domain_->CallerOfSession(session.secret));
  EXPECT_EQ(domain_->DeleteToken("none").code(), Code::kNotFound);
  // Nobody could make another one.
  EXPECT_EQ(domain_->DeleteToken(Domain::IdOfToken("admin")).code(), Code::kInvalidArgument);
  EXPECT_TRUE(domain_->CallerOfToken("admin"));
}

TEST_F(DomainTest, AProjectTakesItsTokensAlong) {
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  ASSERT_TRUE(domain_->AddToken("scoped", Role::kViewer, "", "web").ok());
  EXPECT_TRUE(domain_->CallerOfToken("scoped"));
  ASSERT_TRUE(domain_->DeleteProject("web").ok());
  EXPECT_FALSE(domain_->CallerOfToken("scoped"));
}

// The tables as the first version made them, with a token and a session.
TEST_F(DomainTest, BringsAFileOfTheFirstVersionUpToDate) {
  domain_.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  {
    auto db = *sqlite::Database::Open(path_);
    ASSERT_TRUE(db->ExecuteAll(R"(
      CREATE TABLE schema_version (version INTEGER NOT NULL);
      INSERT INTO schema_version VALUES (1);
      CREATE TABLE projects (name TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;
      CREATE TABLE logstores (
        project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
        name TEXT NOT NULL, retention_ns INTEGER, retention_bytes INTEGER,
        PRIMARY KEY (project, name)) WITHOUT ROWID;
      CREATE TABLE tokens (
        hash TEXT PRIMARY KEY NOT NULL, role TEXT NOT NULL, expires INTEGER NOT NULL,
        note TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE sign_in_codes (
        hash TEXT PRIMARY KEY NOT NULL, role TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE sessions (
        hash TEXT PRIMARY KEY NOT NULL, role TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
      INSERT INTO projects VALUES ('web');
    )")
                    .ok());
    ASSERT_TRUE(db->Execute("INSERT INTO tokens VALUES (?, 'admin', ?, 'first', 7)",
                            {Sha256Hex("old"), INT64_MAX})
                    .ok());
    ASSERT_TRUE(
        db->Execute("INSERT INTO sessions VALUES (?, 'viewer', ?)", {Sha256Hex("s"), INT64_MAX})
            .ok());
  }
  Reopen();
  EXPECT_EQ(domain_->RoleOfToken("old"), Role::kAdmin);
  EXPECT_EQ(domain_->CallerOfToken("old")->project, "");
  EXPECT_EQ(domain_->RoleOfSession("s"), Role::kViewer);
  EXPECT_EQ(domain_->Projects()->size(), 1u);
  Reopen();
  EXPECT_EQ(domain_->Tokens()->size(), 1u);
}

TEST_F(DomainTest, RedeemsASignInCodeOnce) {
  const std::string code = *domain_->CreateSignInCode(Role::kAdmin);
  const auto session = domain_->RedeemSignInCode(code);
  ASSERT_TRUE(session.ok()) << session.status().ToString();
  EXPECT_EQ(session->role, Role::kAdmin);
  EXPECT_EQ(domain_->RoleOfSession(session->secret), Role::kAdmin);
  EXPECT_EQ(domain_->RedeemSignInCode(code).status().code(), Code::kUnauthenticated);
  EXPECT_EQ(domain_->RedeemSignInCode("guess").status().code(), Code::kUnauthenticated);
}

TEST_F(DomainTest, TakesCodesThatAnotherProcessMade) {
  auto other = *Domain::Open(env_, path_);
  const std::string code = *other->CreateSignInCode(Role::kViewer);
  EXPECT_EQ(domain_->RedeemSignInCode(code)->role, Role::kViewer);
}

TEST_F(DomainTest, LetsCodesAndSessionsExpire) {
  const std::string code = *domain_->CreateSignInCode(Role::kAdmin);
  const Session session = *domain_->StartSession({Role::kAdmin, "", "x"});
  env_.test_clock.now += kSignInCodeLife.count();
  EXPECT_FALSE(domain_->RedeemSignInCode(code).ok());
  EXPECT_TRUE(domain_->RoleOfSession(session.secret));
  env_.test_clock.now += kSessionLife.count();
  EXPECT_FALSE(domain_->RoleOfSession(session.secret));
}

TEST_F(DomainTest, EndsSessions) {
  const Session session = *domain_->StartSession({Role::kViewer, "", "x"});
  EXPECT_TRUE(domain_->RoleOfSession(session.secret));
  ASSERT_TRUE(domain_->EndSession(session.secret).ok());
  EXPECT_FALSE(domain_->RoleOfSession(session.secret));
}

TEST_F(DomainTest, SaysWhatToDoAboutADamagedFile) {
  domain_.reset();
  std::filesystem::remove(path_ + "-wal");
  std::ofstream(path_, std::ios::binary | std::ios::trunc) << std::string(5000, 'x');
  const auto status = Domain::Open(env_, path_).status();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_NE(status.message().find(path_), std::string_view::npos);
  EXPECT_NE(status.message().find("restore it from a backup"), std::string_view::npos);
}

TEST_F(DomainTest, NoticesDamageInsideTheFile) {
  ASSERT_TRUE(domain_->CreateProject("web").ok());
  domain_.reset();
  {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096 + 8);
    file << std::string(3000, '\x7f');
  }
  EXPECT_EQ(Domain::Open(env_, path_).status().code(), Code::kDataLoss);
}

TEST_F(DomainTest, RefusesAFileOfANewerVersion) {
  domain_.reset();
  {
    auto db = *sqlite::Database::Open(path_);
    ASSERT_TRUE(db->Execute("UPDATE schema_version SET version = 99").ok());
  }
  const auto status = Domain::Open(env_, path_).status();
  EXPECT_EQ(status.code(), Code::kUnimplemented);
  EXPECT_NE(status.message().find("99"), std::string_view::npos);
}

TEST_F(DomainTest, KeepsTheFileFromOtherUsers) {
  EXPECT_EQ(std::filesystem::status(path_).permissions() & std::filesystem::perms::all,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Secret, HashesWithSha256) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Roles, HaveNames) {
  for (const Role role : {Role::kAdmin, Role::kIngest, Role::kViewer}) {
    EXPECT_EQ(*ParseRole(RoleName(role)), role);
  }
  EXPECT_FALSE(ParseRole("root").ok());
}

}  // namespace
}  // namespace kelp::domain
