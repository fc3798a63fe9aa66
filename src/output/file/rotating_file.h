// RotatingFile: a text file that only ever holds whole appends, and makes room for itself.
#ifndef KELP_OUTPUT_FILE_ROTATING_FILE_H_
#define KELP_OUTPUT_FILE_ROTATING_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/env.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/units.h"

namespace kelp::output {

struct RotatingFileOptions {
  std::string path;
  ByteSize rotate_size;  // 0: never
  uint32_t rotate_keep = 5;
  // An unfinished line that begins so was left by a kill in the middle of a write, will be written
  // again, and is cut off when the file is opened. Empty: unfinished lines are ended instead, since
  // they may be somebody else's.
  std::string_view own_line_start;
  // Makes a file durable before letting go of it, so that Handle() is all that needs a sync.
  bool sync_before_close = false;
};

// Appends to `path`; rotates it to path.1, path.2, ... when it would pass rotate_size.
//
// Place:    FileOutput has one.
// Owns:     the descriptor. Borrows `files` and `clock`.
// Threads:  thread-compatible.
// Blocking: for the disk.
// Limits:   one append larger than rotate_size is written whole.
// Errors:   a failed append leaves nothing of itself in the file, as far as the system lets us; the
//           caller may try it again. A failed rotation shows in rotate_status() and does not hold
//           up appends: growing past a limit is better than losing lines.
// Other programs may rename or delete the file (logrotate): it is made anew within a second.
// Tests:    rotating_file_test.cc
class RotatingFile {
 public:
  RotatingFile(RotatingFileOptions options, FileSystem& files, Clock& clock);

  // Opens the file, its directories made. Append does it when needed; at start it tells what is
  // wrong.
  Status Open();
  // `data` is whole lines.
  Status Append(std::string_view data);
  // What has to be synced for everything appended so far to be durable; null before Open(). May be
  // used on another thread, while this one appends.
  std::shared_ptr<File> handle() const { return file_; }
  // True once after files were made or renamed: the directory has to be synced as well.
  bool TakeNamesChanged() { return std::exchange(names_changed_, false); }

  // Why the last rotation failed; ok when it did not.
  const Status& rotate_status() const { return rotate_status_; }
  uint64_t rotations() const { return rotations_; }
  const std::string& path() const { return options_.path; }

 private:
  Status Repair();
  Status RotateIfNeeded(size_t more);
  Status Rotate();
  // Closes the file when another one, or none, is at the path.
  Status CloseIfMoved();
  Status Close();

  const RotatingFileOptions options_;
  FileSystem& files_;
  Clock& clock_;
  std::shared_ptr<File> file_;
  FileInfo identity_;
  Duration look_at_{0};    // when the path is looked at again
  Duration rotate_at_{0};  // after a failed rotation: when it is tried again
  Status rotate_status_;
  uint64_t rotations_ = 0;
  bool names_changed_ = false;
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_FILE_ROTATING_FILE_H_
