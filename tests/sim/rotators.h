// Rotators: what happens to log files, by whom it is done.
#ifndef KELP_TESTS_SIM_ROTATORS_H_
#define KELP_TESTS_SIM_ROTATORS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors.h"
#include "base/units.h"
#include "packing.h"
#include "writers.h"

namespace kelp::sim {

// A rotator of one writer's file: acts again and again, when the file may be rotated.
//
// A file is only rotated when the agent knows its name: of a file that came and was renamed before
// anybody looked, nobody could know that it is wanted.
class Rotator : public Actor {
 public:
  Rotator(World& world, LogWriter& writer, Duration pause_mean)
      : Actor(world), writer_(writer), pause_mean_(pause_mean) {}
  void Start() override { Again(); }

 protected:
  // One rotation. The file exists.
  virtual void Rotate() = 0;
  virtual bool MayRotate() const;
  virtual const char* name() const = 0;
  const std::string& path() const { return writer_.options().path; }
  // The writer is told after a while; it writes into the renamed file until then.
  void TellWriter(Duration delay_max);
  // path.1 to path.2 and so on; those from `keep` on go. `suffix`: ".gz".
  void ShiftChain(uint32_t keep, const std::string& suffix);

  LogWriter& writer_;
  bool busy_ = false;  // a rotation in steps is under way

 private:
  void Again();
  const Duration pause_mean_;
};

// logrotate's default: file.log.1, .2, …; the oldest go. Docker does the same inside the writer:
// tell_max 0.
struct NumberedOptions {
  uint32_t keep = 1000;
  bool create = true;  // the rotator makes the new file, not the writer
  Duration pause_mean = 3s;
  Duration tell_max = 1500ms;
  // Waits until the agent has stored what the file is: without birth times nobody can tell that a
  // file came and went.
  bool only_known = false;
};

class NumberedRotator final : public Rotator {
 public:
  NumberedRotator(World& world, LogWriter& writer, const NumberedOptions& options)
      : Rotator(world, writer, options.pause_mean), options_(options) {}

 private:
  void Rotate() override;
  bool MayRotate() const override;
  const char* name() const override { return "numbered"; }
  const NumberedOptions options_;
};

// logrotate's dateext: file.log-20261121-000017. Kubelet's: 0.log.20261121-000017, and all but the
// newest are compressed, as "compress, delaycompress" do.
struct DatedOptions {
  char separator = '-';
  Packing packing = Packing::kNone;
  bool delay_compress = true;
  uint32_t keep = 1000;
  Duration pause_mean = 3s;
  Duration tell_max = 1500ms;
};

class DatedRotator final : public Rotator {
 public:
  DatedRotator(World& world, LogWriter& writer, const DatedOptions& options)
      : Rotator(world, writer, options.pause_mean), options_(options) {}

 private:
  void Rotate() override;
  const char* name() const override { return "dated"; }
  void Compress(const std::string& file);

  const DatedOptions options_;
  uint32_t rotations_ = 0;
  std::vector<std::string> rotated_;  // names as they are now, oldest first
};

// logrotate's copytruncate: copies in steps, then truncates. What is written between the last step
// and the truncation is lost by it, not by us.
struct CopyTruncateOptions {
  uint32_t keep = 1000;
  Packing packing = Packing::kNone;  // the copy is compressed at once
  Duration pause_mean = 4s;
  Duration step_max = 20ms;  // between steps of the copy, and before the truncation
  size_t step_bytes = 512;
};

class CopyTruncateRotator final : public Rotator {
 public:
  CopyTruncateRotator(World& world, LogWriter& writer, const CopyTruncateOptions& options)
      : Rotator(world, writer, options.pause_mean), options_(options) {}

 private:
  void Rotate() override;
  const char* name() const override { return "copytruncate"; }
  void Step();
  void TruncateSource();

  const CopyTruncateOptions options_;
  std::unique_ptr<Handle> from_;
  std::unique_ptr<Handle> to_;
  uint64_t copied_ = 0;
};

// What ends a file without keeping it.
enum class EndKind : uint8_t {
  kTruncate,    // somebody empties it: `: > file`
  kCut,         // cut to a part of it: `truncate -s N file`
  kRecreate,    // rm, and at once a new one (often with the same inode)
  kReplace,     // another file is renamed over it: an editor's save
  kRewrite,     // emptied and written anew in one go: another editor's save
  kRemoveTree,  // with the directory; both come back later
};

struct EndOptions {
  std::vector<EndKind> kinds;
  Duration pause_mean = 4s;
  // Only when everything in the file has arrived: what comes after must be complete then.
  bool only_read = false;
};

class Ender final : public Rotator {
 public:
  Ender(World& world, LogWriter& writer, const EndOptions& options)
      : Rotator(world, writer, options.pause_mean), options_(options) {}

 private:
  void Rotate() override;
  const char* name() const override { return "end"; }
  bool MayRotate() const override;
  void Truncate();
  void Cut();
  // Where kCut cuts: anywhere, at the end of a line, or by how far the agent has read.
  uint64_t CutLength(const Node& node);

  const EndOptions options_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_ROTATORS_H_
