// DuckDbLibrary: DuckDB's C interface, loaded when the first SQL statement needs it.
//
// The library is 65 MB and most servers run for hours before somebody types SQL, so nothing links
// it (docs/decisions/0010-sql-engine.md). Every C function that Kelp calls is a member of the same
// name; the list below is the whole of what we use.
//
// Place:    Database (database.h) calls through it.
// Owns:     the loaded library, until the process ends.
// Threads:  immutable after Load.
// Errors:   kUnimplemented, saying what to install, when the file is missing, has another
//           interface, or the program was built without DuckDB's header.
// Tests:    sql_test.cc
#ifndef KELP_SQL_DUCKDB_LIBRARY_H_
#define KELP_SQL_DUCKDB_LIBRARY_H_

#include <duckdb.h>

#include <string>

#include "base/status.h"

namespace kelp::sql {

#define KELP_DUCKDB_FUNCTIONS(X)                 \
  X(bind_add_result_column)                      \
  X(bind_get_extra_info)                         \
  X(bind_set_bind_data)                          \
  X(bind_set_cardinality)                        \
  X(bind_varchar_length)                         \
  X(close)                                       \
  X(column_count)                                \
  X(column_logical_type)                         \
  X(column_name)                                 \
  X(column_type)                                 \
  X(connect)                                     \
  X(create_config)                               \
  X(create_logical_type)                         \
  X(create_table_function)                       \
  X(data_chunk_get_size)                         \
  X(data_chunk_get_vector)                       \
  X(data_chunk_set_size)                         \
  X(destroy_config)                              \
  X(destroy_data_chunk)                          \
  X(destroy_logical_type)                        \
  X(destroy_prepare)                             \
  X(destroy_pending)                             \
  X(destroy_result)                              \
  X(destroy_table_function)                      \
  X(disconnect)                                  \
  X(execute_pending)                             \
  X(execute_prepared)                            \
  X(execute_prepared_streaming)                  \
  X(fetch_chunk)                                 \
  X(free)                                        \
  X(function_get_extra_info)                     \
  X(function_get_init_data)                      \
  X(function_get_local_init_data)                \
  X(function_set_error)                          \
  X(get_type_id)                                 \
  X(init_get_column_count)                       \
  X(init_get_column_index)                       \
  X(init_get_extra_info)                         \
  X(init_set_init_data)                          \
  X(init_set_max_threads)                        \
  X(interrupt)                                   \
  X(library_version)                             \
  X(open_ext)                                    \
  X(pending_error)                               \
  X(pending_prepared_streaming)                  \
  X(prepare)                                     \
  X(prepare_error)                               \
  X(prepared_statement_column_count)             \
  X(prepared_statement_column_name)              \
  X(prepared_statement_column_type)              \
  X(prepared_statement_type)                     \
  X(query)                                       \
  X(register_table_function)                     \
  X(result_error)                                \
  X(result_error_type)                           \
  X(set_config)                                  \
  X(table_function_set_bind)                     \
  X(table_function_set_extra_info)               \
  X(table_function_set_function)                 \
  X(table_function_set_init)                     \
  X(table_function_set_local_init)               \
  X(table_function_set_name)                     \
  X(table_function_supports_projection_pushdown) \
  X(validity_set_row_invalid)                    \
  X(vector_assign_string_element_len)            \
  X(vector_ensure_validity_writable)             \
  X(vector_get_data)                             \
  X(vector_get_validity)                         \
  X(vector_size)

struct DuckDbLibrary {
#define KELP_DUCKDB_MEMBER(name) decltype(&duckdb_##name) name = nullptr;
  KELP_DUCKDB_FUNCTIONS(KELP_DUCKDB_MEMBER)
#undef KELP_DUCKDB_MEMBER

  // The library of this process: of the first call that succeeded. `path` empty: beside the
  // program, in ../lib/kelp, then where the build put it.
  static Result<const DuckDbLibrary*> Load(const std::string& path);
};

}  // namespace kelp::sql

#endif  // KELP_SQL_DUCKDB_LIBRARY_H_
