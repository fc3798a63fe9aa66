#include "mischief.h"

#include "world.h"

namespace kelp::sim {

void DiskFiller::Start() {
  world_.After(world_.chance().Between(500ms, 6s), [this] {
    if (!world_.chaos()) return;
    world_.Count("full disks");
    world_.disk().set_space(world_.chance().Below(300));
    world_.history().Say("machine", "the disk is nearly full");
    world_.After(world_.chance().Between(100ms, 1500ms), [this] {
      world_.disk().set_space(std::nullopt);
      world_.history().Say("machine", "the disk has space");
      Start();
    });
  });
}

void ClockSetter::Start() {
  world_.After(world_.chance().Between(500ms, 6s), [this] {
    if (!world_.chaos()) return;
    world_.Count("clock jumps");
    const Duration by = world_.chance().Between(Duration(0), Duration(2h)) - Duration(1h);
    world_.clock().Jump(by);
    world_.history().Say("machine", "the clock is set by {} ms", by.count() / 1000000);
    Start();
  });
}

void Linker::Start() {
  world_.disk().Symlink(writer_.options().path, names_[0]);
  Act();
}

void Linker::Act() {
  world_.After(world_.chance().Between(100ms, 4s), [this] {
    if (!world_.chaos()) return;
    const std::string& name = names_[1 + world_.chance().Below(names_.size() - 1)];
    if (world_.disk().Exists(name)) {
      world_.disk().Remove(name);
      world_.history().Say("machine", "rm {}", name);
    } else if (world_.chance().Percent(50)) {
      world_.disk().Symlink(writer_.options().path, name);
      world_.history().Say("machine", "ln -s {} {}", writer_.options().path, name);
    } else {
      world_.disk().Link(writer_.options().path, name);
      world_.history().Say("machine", "ln {} {}", writer_.options().path, name);
    }
    world_.Count("links");
    Act();
  });
}

void PermissionGiver::Start() {
  world_.After(world_.chance().Between(100ms, 5s), [this] {
    if (!world_.chaos()) return;
    const bool readable = world_.chance().Percent(50);
    world_.disk().SetReadable(writer_.options().path, readable);
    world_.history().Say("machine", "{} {}", readable ? "chmod +r" : "chmod -r",
                         writer_.options().path);
    Start();
  });
}

void PermissionGiver::Finish() { world_.disk().SetReadable(writer_.options().path, true); }

}  // namespace kelp::sim
