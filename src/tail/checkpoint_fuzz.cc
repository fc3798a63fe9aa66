// Any bytes in place of the checkpoint database: it opens (moved aside and made anew if need be),
// or says why not, and what was written after that is there.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/env.h"
#include "base/log.h"
#include "tail/checkpoint.h"

namespace {

using namespace kelp;
using namespace kelp::tail;

const std::string& Directory() {
  static const std::string directory = [] {
    // Every case logs an error, and syncs: neither is wanted thousands of times.
    SetLogOptions({.level = static_cast<LogLevel>(static_cast<int>(LogLevel::kError) + 1)});
    const bool memory = RealEnv().files().Stat("/dev/shm").ok();
    std::string path = memory ? "/dev/shm" : "/tmp";
    path += "/kelp_checkpoint_fuzz_" + std::to_string(::getpid());
    CHECK(RealEnv().files().MakeDirs(path).ok(), "no temporary directory");
    static const std::string keep = path;
    std::atexit([] { RealEnv().files().RemoveTree(keep).IgnoreError(); });
    return path;
  }();
  return directory;
}

Checkpoint Sample() {
  Checkpoint checkpoint;
  checkpoint.origin = {1, 2};
  checkpoint.space = "p/file";
  checkpoint.path = "/var/log/x.log";
  checkpoint.identity = {{3, 4}, 5, {6, 7}};
  checkpoint.resume = 8;
  checkpoint.emitted = 9;
  checkpoint.line = framing::LinePlace::kInSkipped;
  checkpoint.ordinal = 10;
  checkpoint.seen = 11;
  return checkpoint;
}

// A good database, as bytes.
std::string GoodBytes() {
  const std::string path = Directory() + "/good.db";
  {
    auto store = OpenCheckpointDatabase(RealEnv(), path);
    CHECK(store.ok(), store.status().message());
    CHECK((*store)->Start("p/file").ok(), "start");
    CheckpointChanges changes;
    changes.put.push_back(Sample());
    CHECK((*store)->Write(changes).ok(), "write");
  }
  auto bytes = ReadFile(RealEnv().files(), path);
  CHECK(bytes.ok(), bytes.status().message());
  return *bytes;
}

}  // namespace

// The input is a list of changes to a good database (three bytes of place, one of value each), or,
// when it begins with "SQL", the file itself.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string good = GoodBytes();
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.substr(0, 3) != "SQL") {
    bytes = good;
    for (size_t i = 0; i + 4 <= size && i < 64; i += 4) {
      const size_t at = data[i] | data[i + 1] << 8 | (data[i + 2] & 1) << 16;
      bytes[at % bytes.size()] = static_cast<char>(data[i + 3]);
    }
    if (size > 0 && size % 4 == 1) bytes.resize(bytes.size() * data[size - 1] / 256);
  }
  const std::string directory = Directory() + "/case";
  CHECK(RealEnv().files().MakeDirs(directory).ok(), "no temporary directory");
  const std::string path = directory + "/checkpoints.db";
  {
    auto file = RealEnv().files().OpenForWrite(path, true);
    CHECK(file.ok() && (*file)->Append(bytes).ok(), "cannot write the case");
  }
  auto store = OpenCheckpointDatabase(RealEnv(), path);
  // A version number that is too high is the one damage that looks like something else.
  if (store.ok()) {
    const auto space = (*store)->Start("p/file");
    CHECK(space.ok(), space.status().message());
    for (const Checkpoint& checkpoint : space->checkpoints) {
      CHECK(checkpoint.emitted >= checkpoint.resume, "a position that cannot be");
    }
    CheckpointChanges changes;
    changes.put.push_back(Sample());
    Status status = (*store)->Write(changes);
    if (status.code() == Code::kDataLoss) status = (*store)->Write(changes);
    CHECK(status.ok(), status.message());
    const auto again = (*store)->Start("p/file");
    CHECK(again.ok() && !again->checkpoints.empty(), "what was written is not there");
  } else {
    CHECK(store.status().code() == Code::kUnimplemented, store.status().message());
  }
  store = InternalError("closed");
  CHECK(RealEnv().files().RemoveTree(directory).ok(), "cannot remove the case");
  return 0;
}
