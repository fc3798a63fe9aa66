#include "rotators.h"

#include "world.h"

namespace kelp::sim {

void Rotator::Again() {
  world_.After(world_.chance().Between(200ms, 2 * pause_mean_), [this] {
    if (!world_.chaos()) return;
    if (world_.disk().Exists(path()) && MayRotate()) {
      world_.Count(name());
      world_.history().Say("rotator", "{}: {}", name(), path());
      Rotate();
    }
    Again();
  });
}

bool Rotator::MayRotate() const { return world_.PathKnown(path()); }

void Rotator::TellWriter(Duration delay_max) {
  world_.After(world_.chance().Between(Duration(0), delay_max), [this] { writer_.Reopen(); });
}

void NumberedRotator::Rotate() {
  uint32_t last = 0;
  while (world_.disk().Exists(path() + "." + std::to_string(last + 1))) ++last;
  for (; last > 0; --last) {
    const std::string from = path() + "." + std::to_string(last);
    if (last >= options_.keep) {
      world_.Remove(from);
    } else {
      world_.Rename(from, path() + "." + std::to_string(last + 1));
    }
  }
  world_.Rename(path(), path() + ".1");
  if (options_.create) {
    std::unique_ptr<Handle> made;
    world_.disk().Open(path(), /*create=*/true, made);
  }
  TellWriter(options_.tell_max);
}

void DateRotator::Rotate() {
  world_.Rename(path(), fmt::format("{}-20261121-{:06}", path(), ++rotations_));
  TellWriter(1500ms);
}

}  // namespace kelp::sim
