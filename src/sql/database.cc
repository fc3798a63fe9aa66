#include "sql/database.h"

#include <simdjson.h>

#include <charconv>

#include "sql/lexer.h"

namespace kelp::sql {
namespace {

// Settings of every database. Order matters: what is locked last can no longer be undone.
constexpr std::pair<const char*, const char*> kSettings[] = {
    {"autoload_known_extensions", "false"},
    {"autoinstall_known_extensions", "false"},
    {"allow_community_extensions", "false"},
    {"allow_unsigned_extensions", "false"},
    {"enable_object_cache", "false"},
    // Rows come from several threads; ORDER BY decides order, nothing else.
    {"preserve_insertion_order", "false"},
};

std::string TextOf(const simdjson::dom::element& object, const char* key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::string FirstLine(std::string_view text) {
  const size_t end = text.find('\n');
  return std::string(text.substr(0, end));
}

}  // namespace

DuckDbError DuckDbError::Parse(std::string_view text) {
  DuckDbError error;
  error.message = FirstLine(text);
  // Syntax errors come as "Parser Error: {json}".
  const size_t json = text.find('{');
  if (json == text.npos || json > 40) return error;
  simdjson::dom::parser parser;
  simdjson::dom::element object;
  if (parser.parse(simdjson::padded_string(text.substr(json))).get(object) != simdjson::SUCCESS) {
    return error;
  }
  error.kind = TextOf(object, "exception_type");
  error.message = FirstLine(TextOf(object, "exception_message"));
  error.subtype = TextOf(object, "error_subtype");
  error.name = TextOf(object, "name");
  const std::string position = TextOf(object, "position");
  size_t number = 0;
  if (std::from_chars(position.data(), position.data() + position.size(), number).ec ==
          std::errc() &&
      number != SIZE_MAX) {
    error.position = number;
  }
  return error;
}

Result<std::unique_ptr<Database>> Database::Open(const Options& options) {
  ASSIGN_OR_RETURN(const DuckDbLibrary* library, DuckDbLibrary::Load(options.library));
  std::unique_ptr<Database> database(new Database(*library));
  duckdb_config config = nullptr;
  if (library->create_config(&config) != DuckDBSuccess) {
    return InternalError("cannot configure DuckDB");
  }
  bool good = true;
  const auto set = [&](const char* name, const std::string& value) {
    good = good && library->set_config(config, name, value.c_str()) == DuckDBSuccess;
  };
  for (const auto& [name, value] : kSettings) set(name, value);
  set("threads", std::to_string(options.threads));
  set("memory_limit", std::to_string(options.memory.bytes >> 10) + "KiB");
  set("temp_directory", options.temp_dir);
  char* problem = nullptr;
  good =
      good && library->open_ext(nullptr, &database->database_, config, &problem) == DuckDBSuccess;
  library->destroy_config(&config);
  const std::string said = problem == nullptr ? "a setting is unknown" : problem;
  if (problem != nullptr) library->free(problem);
  if (!good) return InternalError("cannot start DuckDB: " + said);
  if (library->connect(database->database_, &database->connection_) != DuckDBSuccess) {
    return InternalError("cannot connect to DuckDB");
  }
  RETURN_IF_ERROR(database->Execute("SET errors_as_json = true"));
  RETURN_IF_ERROR(database->Execute("SET TimeZone = 'UTC'"));
  if (!options.file.empty()) {
    RETURN_IF_ERROR(database->Execute("SET allowed_paths = [" + QuoteText(options.file) + "]"));
  }
  RETURN_IF_ERROR(database->Execute("SET enable_external_access = false"));
  RETURN_IF_ERROR(database->Execute("SET lock_configuration = true"));
  return database;
}

Database::~Database() {
  if (connection_ != nullptr) library_.disconnect(&connection_);
  if (database_ != nullptr) library_.close(&database_);
}

Status Database::Execute(const std::string& sql) {
  duckdb_result result;
  const duckdb_state state = library_.query(connection_, sql.c_str(), &result);
  Status status;
  if (state != DuckDBSuccess) {
    const char* said = library_.result_error(&result);
    status = InternalError("DuckDB: " + DuckDbError::Parse(said == nullptr ? "" : said).message);
  }
  library_.destroy_result(&result);
  return status;
}

Result<std::string> Database::SyntaxTree(std::string_view sql) {
  const Prepared prepared(*this, "SELECT json_serialize_sql(?::VARCHAR)::VARCHAR");
  if (prepared.error()) return InternalError("DuckDB: " + prepared.error()->message);
  library_.bind_varchar_length(prepared.get(), 1, sql.data(), sql.size());
  duckdb_result result;
  std::string tree;
  const duckdb_state state = library_.execute_prepared(prepared.get(), &result);
  if (state == DuckDBSuccess) {
    if (duckdb_data_chunk chunk = library_.fetch_chunk(result); chunk != nullptr) {
      auto* text = static_cast<duckdb_string_t*>(
          library_.vector_get_data(library_.data_chunk_get_vector(chunk, 0)));
      const uint32_t size = text->value.inlined.length;
      tree.assign(size <= 12 ? text->value.inlined.inlined : text->value.pointer.ptr, size);
      library_.destroy_data_chunk(&chunk);
    }
  }
  Status status;
  if (tree.empty()) {
    const char* said = library_.result_error(&result);
    status = InvalidArgumentError(DuckDbError::Parse(said == nullptr ? "" : said).message);
  }
  library_.destroy_result(&result);
  if (!status.ok()) return status;
  return tree;
}

Prepared::Prepared(Database& database, const std::string& sql) : library_(database.library()) {
  if (library_.prepare(database.connection(), sql.c_str(), &statement_) == DuckDBSuccess) return;
  const char* said = library_.prepare_error(statement_);
  error_ = DuckDbError::Parse(said == nullptr ? "" : said);
}

Prepared::~Prepared() { library_.destroy_prepare(&statement_); }

size_t Prepared::column_count() const {
  return library_.prepared_statement_column_count(statement_);
}
duckdb_type Prepared::column_type(size_t column) const {
  return library_.prepared_statement_column_type(statement_, column);
}
std::string Prepared::column_name(size_t column) const {
  const char* name = library_.prepared_statement_column_name(statement_, column);
  std::string copy = name == nullptr ? "" : name;
  library_.free(const_cast<char*>(name));
  return copy;
}

}  // namespace kelp::sql
