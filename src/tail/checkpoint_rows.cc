// Checkpoints as rows of the database.
#include <utility>

#include "tail/checkpoint_db.h"
#include "tail/sqlite_statement.h"

namespace kelp::tail {
namespace {

// The format has room for more than the one that is written now.
constexpr size_t kGuardsMax = 16;

// Lists of numbers as blobs: big-endian, as many bytes each as the type has.
template <typename T>
std::string PackNumbers(const std::vector<T>& numbers) {
  std::string bytes;
  for (const T number : numbers) {
    for (size_t b = sizeof number; b-- > 0;) bytes += static_cast<char>(number >> (8 * b));
  }
  return bytes;
}

template <typename T>
bool UnpackNumbers(const std::string& bytes, size_t numbers_max, std::vector<T>& numbers) {
  if (bytes.size() % sizeof(T) != 0 || bytes.size() / sizeof(T) > numbers_max) return false;
  numbers.clear();
  for (size_t at = 0; at < bytes.size(); at += sizeof(T)) {
    T number = 0;
    for (size_t b = 0; b < sizeof number; ++b) {
      number = number << 8 | static_cast<uint8_t>(bytes[at + b]);
    }
    numbers.push_back(number);
  }
  return true;
}

// Columns 13 to 19 of what LoadOrigins selects, after the origin. False when they cannot be ours.
bool ReadEvidence(Statement& row, Checkpoint& c) {
  std::vector<uint64_t> guards;
  if (!UnpackNumbers(row.GetText(13), 2 * kGuardsMax, guards) || guards.size() % 2 != 0 ||
      !UnpackNumbers(row.GetText(15), Checkpoint::kCutsMax, c.cuts) || !row.GetId(17, c.heir)) {
    return false;
  }
  if (!guards.empty()) c.guard = {guards[0], guards[1]};
  c.begun = row.GetTime(14);
  const uint64_t packing = row.GetInt(16);
  if (packing > static_cast<uint64_t>(Packing::kZstd)) return false;
  c.packing = static_cast<Packing>(packing);
  std::vector<uint32_t> marks;
  if (!UnpackNumbers(row.GetText(18), Marks::kMax, marks)) return false;
  c.marks = Marks(std::move(marks));
  c.seen = row.GetInt(19);
  return std::is_sorted(c.cuts.begin(), c.cuts.end());
}

bool ReadCheckpoint(Statement& row, Checkpoint& c) {
  if (!row.GetId(0, c.origin) || c.origin.empty()) return false;
  c.space = row.GetText(1);
  c.path = row.GetText(2);
  c.identity.key = {row.GetInt(3), row.GetInt(4)};
  c.identity.born = row.GetTime(5);
  const uint64_t print_bytes = row.GetInt(6);
  c.identity.print = {static_cast<uint32_t>(print_bytes), row.GetInt(7)};
  c.resume = row.GetInt(8);
  c.emitted = row.GetInt(9);
  const uint64_t line = row.GetInt(10);
  c.ordinal = row.GetInt(11);
  c.vanished = row.GetTime(12);
  if (print_bytes > Fingerprint::kBytesMax || line > 2 || c.emitted < c.resume) return false;
  c.line = static_cast<framing::LinePlace>(line);
  return ReadEvidence(row, c);
}

}  // namespace

// Of one space, or of all.
int CheckpointDatabase::LoadOrigins(const std::string* space, std::vector<Checkpoint>& out) {
  Statement rows(
      db_,
      "SELECT origin, space, path, device, inode, born, print_bytes, print_hash, resume, "
      "emitted, line, ordinal, vanished, guards, begun, cuts, packing, heir, marks, seen "
      "FROM origins WHERE ?1 IS NULL OR space = ?1 ORDER BY space, path, ordinal");
  if (space != nullptr) rows.Text(1, *space);
  while (rows.Row()) {
    Checkpoint checkpoint;
    if (!ReadCheckpoint(rows, checkpoint)) return SQLITE_CORRUPT;
    out.push_back(std::move(checkpoint));
  }
  return rows.code() == SQLITE_DONE ? SQLITE_OK : rows.code();
}

int CheckpointDatabase::WriteGroup(const CheckpointChanges& changes) {
  int code = Exec("BEGIN IMMEDIATE");
  if (code != SQLITE_OK) return code;
  Statement remove(db_, "DELETE FROM origins WHERE origin = ?1");
  for (const OriginId& origin : changes.remove) {
    remove.Id(1, origin);
    if (!remove.Run()) return remove.code();
  }
  Statement put(
      db_,
      "INSERT OR REPLACE INTO origins VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
      "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)");
  for (const Checkpoint& c : changes.put) {
    put.Id(1, c.origin);
    put.Text(2, c.space);
    put.Text(3, c.path);
    put.Int(4, c.identity.key.device);
    put.Int(5, c.identity.key.inode);
    put.Time(6, c.identity.born);
    put.Int(7, c.identity.print.bytes);
    put.Int(8, c.identity.print.hash);
    put.Int(9, c.resume);
    put.Int(10, c.emitted);
    put.Int(11, static_cast<uint64_t>(c.line));
    put.Int(12, c.ordinal);
    put.Time(13, c.vanished);
    put.Blob(14,
             c.guard.end == 0 ? "" : PackNumbers(std::vector<uint64_t>{c.guard.end, c.guard.hash}));
    put.Time(15, c.begun);
    put.Blob(16, PackNumbers(c.cuts));
    put.Int(17, static_cast<uint64_t>(c.packing));
    put.Id(18, c.heir);
    put.Blob(19, PackNumbers(c.marks.hashes()));
    put.Int(20, c.seen);
    if (!put.Run()) return put.code();
  }
  return Exec("COMMIT");
}

}  // namespace kelp::tail
