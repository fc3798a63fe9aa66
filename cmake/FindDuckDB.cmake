# DuckDB's C header, as tools/get_duckdb puts it into build/duckdb. The library is not linked: it is
# loaded when the first SQL statement comes (src/sql/duckdb_library.h).
#
# Gives DuckDB_FOUND, the target DuckDB::Header and DuckDB_LIBRARY_PATH, where to look at run time.
find_path(DuckDB_INCLUDE_DIR duckdb.h PATHS ${CMAKE_SOURCE_DIR}/build/duckdb NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB REQUIRED_VARS DuckDB_INCLUDE_DIR)
if(DuckDB_FOUND AND NOT TARGET DuckDB::Header)
  add_library(DuckDB::Header INTERFACE IMPORTED)
  set_target_properties(DuckDB::Header PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${DuckDB_INCLUDE_DIR})
endif()
set(DuckDB_LIBRARY_PATH ${CMAKE_SOURCE_DIR}/build/duckdb/libduckdb.so)
