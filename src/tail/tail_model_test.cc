// Writers that append, rotate and delete at random, an agent that is killed at random, and a model
// that knows every line: what was acknowledged and stored before a kill, and what comes after it,
// is each line once and in order. The rotators rename, copy and truncate, or compress.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>

#include "tail/packing.h"
#include "tail/tail_service.h"
#include "tail/testing.h"

namespace kelp::tail {
namespace {

using testing::Gzip;
using testing::ReadingHost;
using testing::ReadRow;
using testing::TempDir;
using testing::TestEnv;

constexpr int kFiles = 3;
constexpr int kActions = 250;

class Store final : public CheckpointStore {
 public:
  explicit Store(MemoryCheckpointStore& store) : store_(store) {}
  Result<CheckpointSpace> Start(const std::string& space) override { return store_.Start(space); }
  Status Write(const CheckpointChanges& changes) override { return store_.Write(changes); }

 private:
  MemoryCheckpointStore& store_;
};

// What becomes of files that are full.
enum class Rotator {
  kRename,
  kCopy,      // to another name; then the file is truncated
  kCompress,  // as kRename; then the renamed file is packed
  kEmpty,     // truncated, when all of it was delivered
};

// A file that is being packed when the agent comes back, and of which nothing is known, is read
// when it is whole: perhaps behind what came after it. In these seeds each line comes once, but not
// in order.
constexpr std::pair<Rotator, uint64_t> kOutOfOrder[] = {{Rotator::kCompress, 13}};

class Model {
 public:
  Model(uint64_t seed, Rotator rotator, bool cri)
      : rng_(seed),
        rotator_(rotator),
        in_order_(std::find(std::begin(kOutOfOrder), std::end(kOutOfOrder),
                            std::pair(rotator, seed)) == std::end(kOutOfOrder)),
        cri_(cri) {
    for (int i = 0; i < kFiles; ++i) writers_.push_back({"f" + std::to_string(i) + ".log"});
    env_.without_inotify = Chance(10);
  }

  void Run() {
    for (int i = 0; i < kActions && !::testing::Test::HasFailure(); ++i) Act();
    if (tail_ == nullptr) StartAgent();
    for (Writer& writer : writers_) {
      while (Proceed(writer)) {
      }
      FinishLine(writer);
    }
    Settle(20s);
    host_->AckAll();
    Commit();
    StopAgent();
    CheckAll();
  }

 private:
  struct Writer {
    std::string name;
    std::string half;      // the rest of a line of which the beginning was written
    uint64_t written = 0;  // lines begun
    bool exists = false;
    bool seen = false;                // by the agent
    bool ever_stored = false;         // some file of this name, with a checkpoint
    bool pieces[2] = {false, false};  // CRI: a record of the stream is unfinished
    bool copied = false;              // and not truncated yet
    std::vector<bool> packed;         // by rotations, the latest first
    size_t packing = 0;               // not 0: the rotated file that is being packed
    std::string rest;                 // of its packed form, to be written
  };

  uint64_t Rand(uint64_t n) { return rng_() % n; }
  bool Chance(uint64_t percent) { return Rand(100) < percent; }

  void Act() {
    Writer& writer = writers_[Rand(kFiles)];
    if (rotator_ != Rotator::kRename && Chance(25) && Proceed(writer)) return;
    switch (Rand(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Write(writer);
      case 4:
        return Rotate(writer);
      case 5:
        Trace("step");
        if (tail_ != nullptr) Step();
        return;
      case 6:
        if (tail_ == nullptr) return;
        for (size_t at = host_->rows.size(), turns = host_->ReadAll(1 + Rand(4)); turns > 0;
             turns = 0) {
          for (; at < host_->rows.size(); ++at) {
            const ReadRow& row = host_->rows[at];
            Trace("  read {} {} #{}", row.origin.ToString().substr(0, 6), BaseName(row.path),
                  NumberOf(row));
          }
        }
        return;
      case 7:
        if (tail_ != nullptr) host_->AckAll(1 + Rand(3));
        return;
      case 8:
        if (tail_ != nullptr) Commit();
        return;
      case 9:
        if (Chance(50)) return tail_ == nullptr ? StartAgent() : StopAgent();
        return;
      case 10:
        env_.Advance(std::chrono::milliseconds(Rand(3000)));
        return;
      case 11:
        if (Chance(30)) Delete(writer);
        return;
    }
  }

  // The history of a failed seed: KELP_TRACE=1.
  template <typename... Args>
  void Trace(fmt::format_string<Args...> format, Args&&... args) {
    static const bool trace = std::getenv("KELP_TRACE") != nullptr;
    if (trace) fmt::print("{}\n", fmt::vformat(format, fmt::make_format_args(args...)));
  }

  // --- writers ---

  std::string NextLine(Writer& writer) {
    const std::string padding(Rand(Chance(5) ? 3000 : 40), 'x');
    if (rotator_ != Rotator::kRename) {
      return "#" + std::to_string(++writer.written) + " " + writer.name + " " + padding +
             (Chance(20) ? "\r\n" : "\n");
    }
    if (!cri_) {
      return writer.name + " " + padding + " #" + std::to_string(++writer.written) +
             (Chance(20) ? "\r\n" : "\n");
    }
    const int stream = static_cast<int>(Rand(2));
    const std::string head =
        stream == 0 ? "2026-11-20T23:49:26.3Z stdout " : "2026-11-20T23:49:26Z stderr ";
    writer.pieces[stream] = Chance(30);
    if (writer.pieces[stream]) return head + "P " + padding + "\n";
    return head + "F " + padding + "#" + std::to_string(++writer.written) + "\n";
  }
  void Write(Writer& writer) {
    // What is written now is lost by the rotator itself.
    if (writer.copied) return;
    std::string text = std::exchange(writer.half, "");
    for (uint64_t n = Rand(4); n > 0; --n) text += NextLine(writer);
    if (Chance(30)) {
      const std::string line = NextLine(writer);
      // Files that are copied or packed are told by their beginnings: not before those differ.
      const size_t least = rotator_ == Rotator::kRename ? 1 : line.find(' ') + 1;
      const size_t cut = least + Rand(line.size() - least);
      text += line.substr(0, cut);
      writer.half = line.substr(cut);
    }
    if (!writer.exists) NextTick();
    dir_.Append(writer.name, text);
    writer.exists = true;
    Trace("write {} to line {}", writer.name, writer.written);
  }
  // Births of files are told apart by the file system's clock, which ticks a few hundred times a
  // second; files of one name are not made faster than that.
  void NextTick() {
    const auto born = [&] {
      dir_.Append("tick", "");
      const UnixNanos time = env_.files().Stat(dir_ / "tick")->born;
      dir_.Remove("tick");
      return time;
    };
    const UnixNanos before = born();
    while (before != kNoTime && born() == before) {
    }
  }
  // Ends the line and, in CRI, the records that are under way.
  void FinishLine(Writer& writer) {
    std::string text = std::exchange(writer.half, "");
    for (int stream = 0; stream < 2; ++stream) {
      if (!std::exchange(writer.pieces[stream], false)) continue;
      text += stream == 0 ? "2026-11-20T23:49:27Z stdout F #" : "2026-11-20T23:49:27Z stderr F #";
      text += std::to_string(++writer.written) + "\n";
    }
    if (!text.empty()) dir_.Append(writer.name, text);
  }
  void Rotate(Writer& writer) {
    // A file that was rotated before its name was ever stored is nobody's.
    if (!writer.exists || !writer.ever_stored || writer.copied) return;
    if (rotator_ == Rotator::kEmpty) return Empty(writer);
    while (Proceed(writer)) {
    }
    FinishLine(writer);
    // The whole chain moves, as logrotate does it.
    for (size_t i = writer.packed.size(); i > 0; --i) {
      const std::string suffix = writer.packed[i - 1] ? ".gz" : "";
      dir_.Rename(Rotated(writer, i) + suffix, Rotated(writer, i + 1) + suffix);
    }
    writer.packed.insert(writer.packed.begin(), false);
    if (rotator_ == Rotator::kCopy) return Copy(writer);
    dir_.Rename(writer.name, Rotated(writer, 1));
    Trace("rotate {} after line {}", writer.name, writer.written);
    writer.exists = writer.seen = false;
    if (rotator_ != Rotator::kCompress) return;
    // At once, or when it is rotated once more.
    const bool delayed = Chance(50);
    if (delayed && (writer.packed.size() < 2 || writer.packed[1])) return;
    writer.packing = delayed ? 2 : 1;
  }
  static std::string Rotated(const Writer& writer, size_t number) {
    return writer.name + "." + std::to_string(number);
  }
  // The next step of what a rotator has begun; false: there is none.
  bool Proceed(Writer& writer) {
    if (writer.copied) {
      Truncate(writer);
      return true;
    }
    if (writer.packing == 0) return false;
    Pack(writer);
    return true;
  }
  void Copy(Writer& writer) {
    NextTick();
    dir_.Write(Rotated(writer, 1), TextOf(writer.name));
    writer.copied = true;
    Trace("copy {} after line {}", writer.name, writer.written);
  }
  void Truncate(Writer& writer) {
    ASSERT_EQ(::truncate((dir_ / writer.name).c_str(), 0), 0);
    writer.copied = false;
    Trace("truncate {} after line {}", writer.name, writer.written);
  }
  // As gzip does it: the packed file is whole, and has the other's time, before that goes.
  void Pack(Writer& writer) {
    const std::string plain = Rotated(writer, writer.packing);
    const std::string packed = plain + ".gz";
    if (!env_.files().Stat(dir_ / packed).ok()) {
      const std::string text = Gzip(TextOf(plain));
      const size_t cut = Rand(text.size());
      dir_.Append(packed, text.substr(0, cut));
      writer.rest = text.substr(cut);
      Trace("pack {}", plain);
    } else if (!writer.rest.empty()) {
      dir_.Append(packed, std::exchange(writer.rest, ""));
      struct stat info {};
      ASSERT_EQ(::stat((dir_ / plain).c_str(), &info), 0);
      const timespec times[] = {info.st_atim, info.st_mtim};
      ASSERT_EQ(::utimensat(AT_FDCWD, (dir_ / packed).c_str(), times, 0), 0);
      Trace("packed {}", plain);
    } else {
      dir_.Remove(plain);
      writer.packed[std::exchange(writer.packing, 0) - 1] = true;
      Trace("remove {}", plain);
    }
  }
  std::string TextOf(const std::string& name) {
    Result<std::string> text = ReadFile(env_.files(), dir_ / name);
    EXPECT_TRUE(text.ok()) << name;
    return text.ok() ? std::move(text).value() : "";
  }
  // Everything of it is delivered, and that is stored.
  void Empty(Writer& writer) {
    if (tail_ == nullptr) return;
    FinishLine(writer);
    Settle(3s);  // a copy might turn up for a while
    host_->AckAll();
    Commit();
    if (Chance(30)) StopAgent();
    Truncate(writer);
  }
  // Only what the agent holds open can be read after it was deleted.
  void Delete(Writer& writer) {
    if (tail_ == nullptr || !writer.exists || writer.copied) return;
    Trace("delete {}", writer.name);
    FinishLine(writer);
    Settle(1s);
    FinishLine(writer);
    dir_.Append(writer.name, NextLine(writer));
    FinishLine(writer);
    dir_.Remove(writer.name);
    writer.exists = writer.seen = writer.ever_stored = false;
    Settle(12s);
    host_->AckAll();
    Commit();
  }

  // --- agent ---

  void StartAgent() {
    Trace("start");
    tail_ = std::make_unique<TailService>(env_, metrics_, std::make_unique<Store>(store_));
    host_ = std::make_unique<ReadingHost>();
    host_->bytes_max = 4096;
    FollowOptions options;
    options.checkpoint_space = "model/file";
    options.half_line_timeout = 1h;  // its writers end every line, sooner or later
    options.include.Add(*Glob::Parse(dir_ / (Chance(0) ? "*.log*" : "*.log")));
    options.decoder = cri_ ? framing::MakeContainerDecoder : framing::MakePlainDecoder;
    options.resource = [](const std::string& path) {
      return std::make_shared<const Resource>(std::vector<Resource::Tag>{{"log.file.path", path}});
    };
    follow_ = tail_->Add(std::move(options), *host_);
    Step();
  }
  void Step() {
    for (int i = 0; i < 2; ++i) tail_->Step(Duration(0));
    // Without events it takes a scan.
    if (env_.without_inotify) {
      env_.Advance(1s);
      tail_->Step(Duration(0));
    }
    for (Writer& writer : writers_) writer.seen = writer.exists;
  }
  void Settle(Duration time) {
    for (Duration passed{0}; passed < time; passed += 250ms) {
      env_.Advance(250ms);
      Step();
      for (int i = 0; i < 10 && host_->ReadAll() > 0; ++i) Step();
    }
  }
  void Commit() {
    ASSERT_TRUE(tail_->StoreCheckpoints().ok());
    for (Writer& writer : writers_) writer.ever_stored |= writer.seen;
  }
  void StopAgent() {
    // As a kill: what was not stored is gone. Writing at the end is switched off.
    store_.FailWith(UnavailableError("killed"));
    const auto stored = store_.Contents();
    Trace("kill");
    for (const auto& [origin, c] : stored) {
      Trace("  stored {} {} resume {} emitted {} ordinal {} {}", origin.ToString().substr(0, 6),
            BaseName(c.path), c.resume, c.emitted, c.ordinal, c.vanished == kNoTime ? "" : "gone");
    }
    std::sort(host_->acked_rows.begin(), host_->acked_rows.end(),
              [](const ReadRow& a, const ReadRow& b) { return a.number < b.number; });
    for (const ReadRow& row : host_->acked_rows) {
      const auto it = stored.find(row.origin);
      if (it != stored.end() && row.end <= it->second.emitted) committed_.push_back(row);
    }
    for (const pipeline::Loss& loss : host_->losses) {
      ADD_FAILURE() << loss.bytes << " bytes reported as lost: " << loss.cause;
    }
    tail_->Remove(follow_);
    host_->DropAll();
    tail_.reset();
    store_.FailWith(OkStatus());
  }

  // 0: it has none.
  static uint64_t NumberOf(const ReadRow& row) {
    return std::strtoull(row.body.c_str() + row.body.rfind('#') + 1, nullptr, 10);
  }
  // In words, of the numbers from 1 on.
  static std::string Difference(const std::vector<uint64_t>& numbers, uint64_t last) {
    std::vector<uint64_t> times(last + 1);
    std::string text;
    uint64_t before = 0;
    for (const uint64_t number : numbers) {
      if (number < before) text += fmt::format("{} after {}; ", number, before);
      before = number;
      if (number <= last) ++times[number];
    }
    for (uint64_t i = 1; i <= last; ++i) {
      if (times[i] != 1) text += fmt::format("{} {} times; ", i, times[i]);
    }
    return text;
  }
  void CheckAll() {
    std::map<std::string, std::vector<uint64_t>> numbers;
    std::map<OriginId, uint64_t> last_end;
    for (const ReadRow& row : committed_) {
      // An acknowledgement inside interleaved records is kept conservatively: repeats are removed
      // as the server does it.
      if (cri_ && row.end <= last_end[row.origin]) continue;
      last_end[row.origin] = row.end;
      numbers[BaseName(row.path)].push_back(NumberOf(row));
      Trace("  committed {} {} #{}", row.origin.ToString().substr(0, 6), BaseName(row.path),
            NumberOf(row));
    }
    for (const Writer& writer : writers_) {
      std::vector<uint64_t>& read = numbers[writer.name];
      if (!in_order_) std::sort(read.begin(), read.end());
      std::vector<uint64_t> expected;
      for (uint64_t i = 1; i <= writer.written; ++i) expected.push_back(i);
      EXPECT_EQ(read, expected) << writer.name << ": " << Difference(read, writer.written);
    }
  }

  std::mt19937_64 rng_;
  const Rotator rotator_;
  const bool in_order_;
  const bool cri_;
  TempDir dir_;
  TestEnv env_;
  MetricRegistry metrics_;
  MemoryCheckpointStore store_{env_.clock()};
  std::unique_ptr<TailService> tail_;
  std::unique_ptr<ReadingHost> host_;
  FollowId follow_ = 0;
  std::vector<Writer> writers_;
  std::vector<ReadRow> committed_;
};

uint64_t FirstSeed() {
  const char* seed = std::getenv("KELP_SEED");
  return seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1;
}
uint64_t Seeds() {
  const char* seeds = std::getenv("KELP_SEEDS");
  return seeds != nullptr ? std::strtoull(seeds, nullptr, 10) : 40;
}

void RunSeeds(Rotator rotator, bool cri = false) {
  for (uint64_t seed = FirstSeed(); seed <= Seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model(seed, rotator, cri).Run();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(TailModelTest, EveryLineOnceAndInOrder) { RunSeeds(Rotator::kRename); }
TEST(TailModelTest, EveryRecordOnceAndInOrder) { RunSeeds(Rotator::kRename, /*cri=*/true); }
TEST(TailModelTest, EveryLineOnceWithCopytruncate) { RunSeeds(Rotator::kCopy); }
TEST(TailModelTest, EveryLineOnceWhenCompressed) { RunSeeds(Rotator::kCompress); }
TEST(TailModelTest, EveryLineOnceWhenEmptied) { RunSeeds(Rotator::kEmpty); }

}  // namespace
}  // namespace kelp::tail
