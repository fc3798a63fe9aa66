// Statements that try to leave their cage. Each is refused with its reason, or does no harm.
#include <gtest/gtest.h>

#include <filesystem>

#include "sql/sql_testing.h"

namespace kelp::sql::testing {
namespace {

struct Attack {
  const char* statement;
  const char* reason;  // part of the refusal
};

class AttackTest : public SqlTest {
 protected:
  AttackTest() {
    TestRow row;
    row.time = 1'763'726'400'000'000'000;
    row.body = Text("one");
    snapshot_.Add({row});
    request_.limits.time = 5s;
    request_.limits.memory = 64_MiB;
  }
  void ExpectRefused(std::initializer_list<Attack> attacks) {
    for (const Attack& attack : attacks) {
      const std::string answer = Run(attack.statement);
      EXPECT_TRUE(answer.starts_with("error")) << attack.statement << "\ngave\n" << answer;
      EXPECT_NE(answer.find(attack.reason), std::string::npos) << attack.statement << "\ngave\n"
                                                               << answer;
    }
  }
};

constexpr const char* kOneSelect = "only one SELECT is allowed";
constexpr const char* kNoTable = "there is no table";
constexpr const char* kTableFunction = "the table function";
constexpr const char* kFunction = "is not known or not allowed";

TEST_F(AttackTest, FilesStayClosed) {
  ExpectRefused({
      {"SELECT * FROM read_csv('/etc/passwd')", kTableFunction},
      {"SELECT * FROM read_csv_auto('/etc/passwd')", kTableFunction},
      {"SELECT * FROM read_text('/etc/passwd')", kTableFunction},
      {"SELECT * FROM read_blob('/etc/*')", kTableFunction},
      {"SELECT * FROM read_json('/etc/passwd')", kTableFunction},
      {"SELECT * FROM read_json_auto('/x')", kTableFunction},
      {"SELECT * FROM read_ndjson_objects('/x')", kTableFunction},
      {"SELECT * FROM read_parquet('/x')", kTableFunction},
      {"SELECT * FROM parquet_scan('/x')", kTableFunction},
      {"SELECT * FROM parquet_metadata('/x')", kTableFunction},
      {"SELECT * FROM sniff_csv('/etc/passwd')", kTableFunction},
      {"SELECT * FROM glob('/*')", kTableFunction},
      {"SELECT * FROM 'x.csv'", kNoTable},
      {"SELECT * FROM '/etc/passwd'", kNoTable},
      {"SELECT * FROM \"/var/lib/x.parquet\"", kNoTable},
      {"SELECT * FROM 'https://example.com/x.parquet'", kNoTable},
      {"SELECT * FROM 's3://bucket/x.parquet'", kNoTable},
      {"SELECT (SELECT max(content) FROM read_text('/etc/passwd')) FROM log", kTableFunction},
      {"SELECT * FROM log, LATERAL (SELECT * FROM read_text(body))", kTableFunction},
      {"WITH a AS (SELECT * FROM read_csv('/x')) SELECT * FROM a", kTableFunction},
      {"SELECT 1 UNION ALL SELECT * FROM read_text('/x')", kTableFunction},
      {"FROM read_csv('/etc/passwd')", kTableFunction},
  });
}

TEST_F(AttackTest, OtherStatementsAreNone) {
  ExpectRefused({
      {"COPY log TO '/tmp/x'", ""},
      {"SELECT 1; COPY log TO '/tmp/x'", kOneSelect},
      {"SELECT 1; SELECT 2", "only one statement"},
      {"SELECT 1;;DROP VIEW log", kOneSelect},
      {"WITH a AS (SELECT 1) INSERT INTO x SELECT * FROM a", kOneSelect},
      {"WITH a AS (DELETE FROM log RETURNING *) SELECT * FROM a", "error"},
      {"SELECT 1 INTO x", "error"},
      {"(SELECT 1); ATTACH '/tmp/x.db'", kOneSelect},
      {"SELECT 1; PRAGMA database_list", kOneSelect},
      {"SELECT 1; SET memory_limit = '1TB'", kOneSelect},
      {"SELECT 1; RESET ALL", "error"},
      {"SELECT 1; INSTALL httpfs", kOneSelect},
      {"SELECT 1; LOAD '/tmp/x.so'", kOneSelect},
      {"SELECT 1; CALL pragma_version()", kOneSelect},
      {"SELECT 1; EXPORT DATABASE '/tmp/x'", kOneSelect},
      {"SELECT 1; IMPORT DATABASE '/tmp/x'", kOneSelect},
      {"SELECT 1; CREATE SECRET s (TYPE s3)", kOneSelect},
      {"SELECT 1; CREATE TABLE x AS SELECT 1", kOneSelect},
      {"SELECT 1; EXPLAIN ANALYZE SELECT 1", kOneSelect},
      {"SELECT 1; BEGIN TRANSACTION", kOneSelect},
      {"SELECT 1; PREPARE p AS SELECT 1", kOneSelect},
      {"SELECT $1", "no parameters"},
      {"SELECT ?", "no parameters"},
  });
}

TEST_F(AttackTest, StatementsThatAreNoSelectAreTakenForPipesAndRefused) {
  for (const char* statement :
       {"ATTACH '/tmp/x.db' AS x", "COPY (SELECT 1) TO '/tmp/kelp_attack'", "PRAGMA version",
        "SET threads = 99", "DROP VIEW log", "DESCRIBE log", "SHOW TABLES", "EXPLAIN SELECT 1",
        "SUMMARIZE log", "VACUUM", "CHECKPOINT", "USE x", "PIVOT log ON body",
        "CREATE MACRO f() AS 1", "EXECUTE p", "CALL duckdb_settings()"}) {
    EXPECT_TRUE(Run(statement).starts_with("error")) << statement;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/kelp_attack"));
}

TEST_F(AttackTest, TheCatalogueAndTheSettingsStayClosed) {
  ExpectRefused({
      {"SELECT * FROM information_schema.tables", kNoTable},
      {"SELECT * FROM duckdb_settings()", kTableFunction},
      {"SELECT * FROM duckdb_secrets()", kTableFunction},
      {"SELECT * FROM duckdb_functions()", kTableFunction},
      {"SELECT * FROM duckdb_logs", kNoTable},
      {"SELECT * FROM duckdb_views", kNoTable},
      {"SELECT * FROM sqlite_master", kNoTable},
      {"SELECT * FROM pg_catalog.pg_tables", kNoTable},
      {"SELECT * FROM pragma_database_list", kNoTable},
      {"SELECT * FROM main.log", kNoTable},
      {"SELECT * FROM memory.main.log", kNoTable},
      {"SELECT * FROM log_rows_0()", kTableFunction},
      {"SELECT * FROM (SHOW TABLES)", "not allowed"},
      {"SELECT * FROM (DESCRIBE log)", "not allowed"},
      {"SELECT * FROM duckdb_views, (WITH duckdb_views AS (SELECT 1) SELECT 1)", kNoTable},
      {"WITH a AS (SELECT * FROM duckdb_views), duckdb_views AS (SELECT 1) SELECT * FROM a",
       kNoTable},
      {"SELECT getenv('HOME')", kFunction},
      {"SELECT current_setting('memory_limit')", kFunction},
      {"SELECT getvariable('x')", kFunction},
      {"SELECT current_database()", kFunction},
      {"SELECT current_query()", kFunction},
      {"SELECT nextval('s')", kFunction},
      {"SELECT write_log('x')", kFunction},
      {"SELECT system.main.getenv('HOME')", "schema"},
      {"SELECT pg_catalog.pg_typeof(1)", "schema"},
      {"SELECT txid_current()", kFunction},
      {"SELECT setseed(0.5)", kFunction},
      {"SELECT json_execute_serialized_sql('{}')", kFunction},
      {"SELECT * FROM json_execute_serialized_sql('{}')", kTableFunction},
      {"SELECT json_deserialize_sql('{}')", kFunction},
      {"SELECT * FROM query('SELECT 1')", kTableFunction},
      {"SELECT * FROM query_table('log')", kTableFunction},
      {"SELECT * FROM pragma_version()", kTableFunction},
      {"SELECT list_transform([1], x -> getenv('HOME'))", kFunction},
      {"SELECT 1 ORDER BY getenv('HOME')", kFunction},
      {"SELECT 1 LIMIT (SELECT getenv('HOME'))", kFunction},
      {"SELECT count(*) FILTER (getenv('A') = 'x')", kFunction},
      {"SELECT CASE WHEN true THEN getenv('A') END", kFunction},
      {"SELECT 1 GROUP BY getenv('A')", kFunction},
      {"SELECT 1 FROM log JOIN log b ON getenv('A') = 'x'", kFunction},
      {"SELECT sum(1) OVER (PARTITION BY getenv('A'))", kFunction},
      {"SELECT * REPLACE (getenv('A') AS body)", kFunction},
      {"VALUES (getenv('A'))", kFunction},
  });
}

TEST_F(AttackTest, NamesOfTheSessionAreConstants) {
  // They say nothing about the machine: the database is made for the statement.
  EXPECT_EQ(Run("SELECT current_user"), "duckdb\n");
  EXPECT_EQ(Run("SELECT current_schema"), "main\n");
}

TEST_F(AttackTest, HugeResultsAreStopped) {
  ExpectRefused({
      {"SELECT repeat(body, 1000000000)", "whole number"},
      {"SELECT repeat(body, length(body))", "whole number"},
      {"SELECT lpad(body, 2000000000, 'x')", "whole number"},
      {"SELECT range(10000000000)", "whole number"},
      {"SELECT * FROM range(10000000000)", "whole number"},
      {"SELECT * FROM generate_series(1, 1000000000000)", "whole number"},
      {"SELECT format('{:>1000000000}', body)", kFunction},
      {"SELECT printf('%1000000000s', body)", kFunction},
      {"SELECT list_resize([1], 10000000000)", kFunction},
      {"SELECT bar(1, 0, 1, 1000000000)", kFunction},
      {"WITH a AS (SELECT body||body||body||body||body||body||body||body AS x), "
       "b AS (SELECT x||x||x||x||x||x||x||x AS x FROM a), "
       "c AS (SELECT x||x||x||x||x||x||x||x AS x FROM b), "
       "d AS (SELECT x||x||x||x||x||x||x||x AS x FROM c) SELECT length(x) FROM d",
       "times as large"},
      {"SELECT replace(replace(replace(body, 'o', repeat('o', 9000)), 'o', body), 'o', body)",
       "times as large"},
  });
}

TEST_F(AttackTest, EndlessWorkIsStopped) {
  request_.limits.time = 300ms;
  ExpectRefused({
      {"WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
       "limit"},
      {"SELECT count(*) FROM range(10000) a, range(10000) b, range(10000) c, range(10000) d",
       "limit"},
      {"SELECT a.range, count(DISTINCT b.range * 10000 + c.range) FROM range(10000) a, "
       "range(10000) b, range(10000) c GROUP BY 1",
       "limit"},
      {"SELECT max(h) FROM (SELECT md5(a.range::VARCHAR || b.range::VARCHAR) h FROM range(10000) a,"
       " range(10000) b, range(10000) c)",
       "limit"},
  });
}

TEST_F(AttackTest, MemoryIsLimited) {
  request_.limits.time = 20s;
  ExpectRefused({
      {"SELECT list(a.range * b.range) FROM range(10000) a, range(10000) b", "memory"},
      {"SELECT a.range, b.range, repeat('x', 100) FROM range(10000) a, range(3000) b "
       "ORDER BY hash(a.range + b.range * 7)",
       "memory"},
  });
}

TEST_F(AttackTest, DeepNestingIsRefused) {
  std::string deep = "SELECT ";
  for (int i = 0; i < 2000; ++i) deep += "(";
  deep += "1";
  for (int i = 0; i < 2000; ++i) deep += ")";
  EXPECT_FALSE(Run(deep).empty());
  std::string nots = "SELECT ";
  for (int i = 0; i < 3000; ++i) nots += "NOT ";
  EXPECT_TRUE(Run(nots + "true").starts_with("error"));
  EXPECT_TRUE(Run("SELECT " + std::string(20'000, ' ') + "1").starts_with("error"));
  EXPECT_TRUE(Run(std::string_view("SELECT 1\0", 9)).starts_with("error"));
}

}  // namespace
}  // namespace kelp::sql::testing
