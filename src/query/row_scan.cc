#include "query/row_scan.h"

#include "query/outcome.h"
#include "query/row_reader.h"
#include "query/scan.h"
#include "query/time_filter.h"

namespace kelp::query {

Result<RowScanResult> ScanRows(const store::Snapshot& snapshot, const Query& query,
                               const RowScanRequest& request,
                               const std::function<Status(const Row&)>& on_row) {
  Limits limits = request.limits;
  limits.threads = 1;  // on_row is for one thread
  RowScanResult result;
  Scan scan(snapshot, query, request.from, request.to, limits, false);
  const auto visit = [&](Scan::Worker& worker, uint32_t index,
                         BlockScan::Verdict verdict) -> Status {
    const store::Block& block = *snapshot.blocks()[index];
    store::BlockReader& reader = worker.scan.reader();
    Bitmap rows(block.rows(), true);
    RETURN_IF_ERROR(KeepTimes(block, reader, request.from, request.to, rows));
    worker.rows_scanned += rows.Count();
    if (verdict == BlockScan::Verdict::kSome) RETURN_IF_ERROR(worker.scan.Narrow(rows));
    if (worker.interrupt.stopped()) return OkStatus();
    worker.rows_matched += rows.Count();
    Status status;
    rows.ForEach([&](uint32_t row) {
      if (!status.ok() || worker.interrupt.Check()) return;
      Result<Row> made = ReadRow(block, reader, row);
      status = made.status();
      if (!made.ok()) return;
      made->logstore = snapshot.SourceOf(index);
      ++result.rows;
      status = on_row(*made);
    });
    return status;
  };
  RETURN_IF_ERROR(scan.Run(visit));
  if (scan.cancelled()) return CancelledError("the query was cancelled");
  Outcome outcome;
  scan.AddLosses(outcome);
  RETURN_IF_ERROR(outcome.ErrorIfNothing(result.rows > 0));
  result.partial = outcome.partial();
  Explain none;
  scan.Fill(result.stats, none);
  return result;
}

}  // namespace kelp::query
