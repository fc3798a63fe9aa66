// Rotators: what happens to log files, by whom it is done.
#ifndef KELP_TESTS_SIM_ROTATORS_H_
#define KELP_TESTS_SIM_ROTATORS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "actors.h"
#include "base/units.h"
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

  LogWriter& writer_;

 private:
  void Again();
  const Duration pause_mean_;
};

// logrotate's default: file.log.1, .2, …; the oldest go.
struct NumberedOptions {
  uint32_t keep = 1000;
  bool create = true;  // the rotator makes the new file, not the writer
  Duration pause_mean = 3s;
  Duration tell_max = 1500ms;
};

class NumberedRotator final : public Rotator {
 public:
  NumberedRotator(World& world, LogWriter& writer, const NumberedOptions& options)
      : Rotator(world, writer, options.pause_mean), options_(options) {}

 private:
  void Rotate() override;
  const char* name() const override { return "numbered"; }
  const NumberedOptions options_;
};

// logrotate's dateext: file.log-20261121-000017.
class DateRotator final : public Rotator {
 public:
  DateRotator(World& world, LogWriter& writer, Duration pause_mean)
      : Rotator(world, writer, pause_mean) {}

 private:
  void Rotate() override;
  const char* name() const override { return "dateext"; }
  uint32_t rotations_ = 0;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_ROTATORS_H_
