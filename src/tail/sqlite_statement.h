// Statement: a prepared SQLite statement, finalized at its end. Internal to src/tail.
//
// Threads:  thread-compatible; under the lock of its connection.
#ifndef KELP_TAIL_SQLITE_STATEMENT_H_
#define KELP_TAIL_SQLITE_STATEMENT_H_

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/units.h"

namespace kelp::tail {

class Statement {
 public:
  Statement(sqlite3* db, const char* sql) {
    code_ = sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  int code() const { return code_; }
  void Int(int i, uint64_t v) { sqlite3_bind_int64(statement_, i, static_cast<int64_t>(v)); }
  void Time(int i, UnixNanos v) {
    if (v == kNoTime) {
      sqlite3_bind_null(statement_, i);
    } else {
      sqlite3_bind_int64(statement_, i, v);
    }
  }
  void Text(int i, const std::string& v) {
    sqlite3_bind_text(statement_, i, v.data(), static_cast<int>(v.size()), SQLITE_STATIC);
  }
  // An empty one is NULL.
  void Blob(int i, const std::string& v) {
    if (v.empty()) {
      sqlite3_bind_null(statement_, i);
    } else {
      sqlite3_bind_blob(statement_, i, v.data(), static_cast<int>(v.size()), SQLITE_TRANSIENT);
    }
  }
  // An empty one is NULL.
  void Id(int i, const OriginId& id) { Blob(i, id.empty() ? std::string() : Bytes(id)); }
  // True while there are rows; code() tells why there are none left.
  bool Row() {
    if (statement_ == nullptr) return false;
    code_ = sqlite3_step(statement_);
    return code_ == SQLITE_ROW;
  }
  bool Run() {
    Row();
    if (statement_ != nullptr) sqlite3_reset(statement_);
    return code_ == SQLITE_DONE || code_ == SQLITE_ROW;
  }
  uint64_t GetInt(int i) { return static_cast<uint64_t>(sqlite3_column_int64(statement_, i)); }
  UnixNanos GetTime(int i) {
    if (sqlite3_column_type(statement_, i) == SQLITE_NULL) return kNoTime;
    return sqlite3_column_int64(statement_, i);
  }
  // Of a text or a blob.
  std::string GetText(int i) {
    const auto* text = static_cast<const char*>(sqlite3_column_blob(statement_, i));
    const int size = sqlite3_column_bytes(statement_, i);
    return text == nullptr ? std::string() : std::string(text, static_cast<size_t>(size));
  }
  // False when the blob has another size than an id. NULL is the empty id.
  bool GetId(int i, OriginId& id) {
    const std::string bytes = GetText(i);
    id = {};
    if (bytes.empty()) return true;
    if (bytes.size() != kIdBytes) return false;
    for (size_t b = 0; b < 8; ++b) {
      id.high = id.high << 8 | static_cast<unsigned char>(bytes[b]);
      id.low = id.low << 8 | static_cast<unsigned char>(bytes[8 + b]);
    }
    return !id.empty();
  }

 private:
  static constexpr size_t kIdBytes = 16;
  static std::string Bytes(const OriginId& id) {
    std::string bytes(kIdBytes, '\0');
    for (size_t b = 0; b < 8; ++b) {
      bytes[b] = static_cast<char>(id.high >> (56 - 8 * b));
      bytes[8 + b] = static_cast<char>(id.low >> (56 - 8 * b));
    }
    return bytes;
  }

  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_SQLITE_STATEMENT_H_
