// HeldMark: a note outside of a spool's directory that says how many rows the spool holds.
#ifndef KELP_SPOOL_HELD_MARK_H_
#define KELP_SPOOL_HELD_MARK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/env.h"
#include "base/status.h"

namespace kelp::spool {

// Without it a spool whose directory was removed could not be told from one that never was, and its
// rows, acknowledged long ago, would be gone without a word.
//
// Place:    DiskQueue has one. The file is there while the spool holds rows.
// Threads:  thread-compatible.
// Blocking: on the disk.
// Errors:   a note that is not there or cannot be read says nothing: no loss is made up.
// Format:   docs/formats/spool.md
// Tests:    disk_queue_test.cc
class HeldMark {
 public:
  struct Held {
    uint64_t end_row = 0;  // rows that went into the spool since it began
    uint64_t rows = 0;     // of them not yet done with
    bool operator==(const Held&) const = default;
  };

  // `path`: of the note; empty: there is none, and every call does nothing. `dir`: the spool.
  HeldMark(FileSystem& files, std::string path, std::string dir);

  bool enabled() const { return !path_.empty(); }
  // What the last owner noted. Call once, first.
  std::optional<Held> Load();
  // Notes it, durably; takes the note away when no rows are held.
  Status Save(const Held& held);

 private:
  FileSystem& files_;
  const std::string path_;
  const std::string dir_;
  std::optional<Held> noted_;
};

}  // namespace kelp::spool

#endif  // KELP_SPOOL_HELD_MARK_H_
