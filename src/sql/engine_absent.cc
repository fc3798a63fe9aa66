// In place of everything that calls DuckDB, in builds that did not find its header.
#include "sql/sql.h"

namespace kelp::sql {

Status Engine::Available() const {
  return UnimplementedError(
      "this kelp-server was built without DuckDB's header, so it has no SQL; run tools/get_duckdb "
      "and build again. Searches without SQL work as before");
}

bool Engine::Run(const store::Snapshot&, const query::Query&, const Request&, RowSink&, Outcome&,
                 Problem& problem) const {
  problem = {Available(), std::nullopt};
  return false;
}

}  // namespace kelp::sql
