// Components for tests of the engine: a scripted input, a holding output, a simple processor.
#ifndef KELP_PIPELINE_TEST_COMPONENTS_H_
#define KELP_PIPELINE_TEST_COMPONENTS_H_

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/sync.h"
#include "pipeline/registry.h"

namespace kelp::pipeline {

// An origin that makes rows "NAME:1", "NAME:2", … of ten bytes of offset each, as many as were
// granted.
class ScriptedSource final : public Source {
 public:
  ScriptedSource(std::string name, uint64_t granted, bool finishes)
      : name_(std::move(name)), granted_(granted), finishes_(finishes) {}

  Result<ReadState> Read(Batch& batch, size_t bytes_max) override {
    if (fail_next.exchange(false)) return IoError("cannot read " + name_);
    ++reads;
    read_sizes.push_back(bytes_max);
    batch.origin = OriginId{1, std::hash<std::string>{}(name_)};
    batch.begin = made_ * 10;
    for (int i = 0; i < rows_per_read && made_ < granted_; ++i) {
      ++made_;
      batch.AddRow(batch.Copy(name_ + ":" + std::to_string(made_)), made_ * 10 - 10, made_ * 10,
                   kNoTime);
    }
    if (held_bytes != 0) batch.AddBuffer(held_bytes);
    batch.end = batch.resume = made_ * 10;
    if (made_ < granted_) return ReadState::kMore;
    return finishes_ ? ReadState::kFinished : ReadState::kIdle;
  }
  void Acked(uint64_t resume) override { acked = resume; }
  void Done() override { done = true; }
  SourceInfo Info() const override {
    return {.name = name_, .begin = 0, .position = made_ * 10, .size = granted_ * 10};
  }
  void Grant(uint64_t rows) { granted_ += rows; }

  int rows_per_read = 2;
  size_t held_bytes = 0;
  std::atomic<bool> fail_next{false};
  std::atomic<int> reads{0};
  std::vector<size_t> read_sizes;
  std::atomic<uint64_t> acked{0};
  std::atomic<bool> done{false};

 private:
  const std::string name_;
  std::atomic<uint64_t> granted_;
  const bool finishes_;
  std::atomic<uint64_t> made_{0};
};

struct ScriptedInputConfig {
  int origins = 1;
  uint64_t rows = 4;
  bool finishes = false;
  int held_bytes = 0;
  bool fails_to_start = false;
};

class ScriptedInput final : public Input {
 public:
  static constexpr std::string_view kName = "scripted";
  using Config = ScriptedInputConfig;
  static const config::Schema<Config>& ConfigSchema() {
    static const auto schema =
        config::Schema<Config>("scripted", "Makes rows.")
            .Field("origins", &Config::origins, {.doc = "How many."})
            .Field("rows", &Config::rows, {.doc = "Rows of each origin."})
            .Field("finishes", &Config::finishes, {.doc = "Ends after its rows."})
            .Field("held_bytes", &Config::held_bytes, {.doc = "Memory of each batch."})
            .Field("fails_to_start", &Config::fails_to_start, {.doc = "Refuses to start."});
    return schema;
  }
  static Result<std::unique_ptr<Input>> Create(const Config& config,
                                               const ComponentContext& context) {
    return std::unique_ptr<Input>(new ScriptedInput(config, context.pipeline));
  }
  ScriptedInput(const Config& config, std::string pipeline)
      : config_(config), pipeline_(std::move(pipeline)) {}
  ~ScriptedInput() override {
    const auto it = All().find(pipeline_);
    if (it != All().end() && it->second == this) All().erase(it);
  }

  // The started input of a pipeline.
  static std::map<std::string, ScriptedInput*>& All() {
    static std::map<std::string, ScriptedInput*> all;
    return all;
  }

  Status Start(InputHost& host) override {
    if (config_.fails_to_start) return IoError("asked not to start");
    host_ = &host;
    for (int i = 0; i < config_.origins; ++i) {
      auto source = std::make_shared<ScriptedSource>(pipeline_ + static_cast<char>('a' + i),
                                                     config_.rows, config_.finishes);
      source->held_bytes = static_cast<size_t>(config_.held_bytes);
      sources.push_back(source);
      ids.push_back(host.Add(source));
    }
    for (const SourceId id : ids) host.Ready(id);
    All()[pipeline_] = this;
    return OkStatus();
  }
  void Stop() override {}
  InputHost& host() { return *host_; }

  std::vector<std::shared_ptr<ScriptedSource>> sources;
  std::vector<SourceId> ids;

 private:
  const Config config_;
  const std::string pipeline_;
  InputHost* host_ = nullptr;
};

struct KeepEvenConfig {
  bool broken = false;
};

// Keeps rows whose body ends in an even digit.
class KeepEven final : public Processor {
 public:
  static constexpr std::string_view kName = "keep_even";
  using Config = KeepEvenConfig;
  static const config::Schema<Config>& ConfigSchema() {
    static const auto schema =
        config::Schema<Config>("keep_even", "Keeps rows that end in an even digit.")
            .Field("broken", &Config::broken, {.doc = "Refuses to be created."});
    return schema;
  }
  static Result<std::unique_ptr<Processor>> Create(const Config& config,
                                                   const ComponentContext& context) {
    if (config.broken) return InvalidArgumentError("asked to be broken");
    return std::unique_ptr<Processor>(
        new KeepEven(context.DropCounter(ComponentKind::kProcessor, "odd")));
  }
  explicit KeepEven(Counter& dropped) : dropped_(dropped) {}
  void Process(Batch& batch) override {
    dropped_.Add(batch.Select(
        [&](uint32_t row) { return (batch.body().Get(row).text().back() - '0') % 2 == 0; }));
  }

 private:
  Counter& dropped_;
};

struct HoldOutputConfig {
  int room = 1000000;
  bool hold = false;
};

// Records rows; with hold, keeps batches and acks until told.
class HoldOutput final : public Output {
 public:
  static constexpr std::string_view kName = "hold";
  using Config = HoldOutputConfig;
  static const config::Schema<Config>& ConfigSchema() {
    static const auto schema =
        config::Schema<Config>("hold", "Holds batches.")
            .Field("room", &Config::room, {.doc = "Batches it holds before it is full."})
            .Field("hold", &Config::hold, {.doc = "Acks only when told."});
    return schema;
  }
  static Result<std::unique_ptr<Output>> Create(const Config& config,
                                                const ComponentContext& context) {
    return std::unique_ptr<Output>(new HoldOutput(config, context));
  }
  HoldOutput(const Config& config, const ComponentContext& context)
      : config_(config), keys_{context.pipeline, context.pipeline + "/" + context.component} {}
  ~HoldOutput() override {
    std::erase_if(All(), [this](const auto& entry) { return entry.second == this; });
  }
  // By "pipeline" (the one that started last) and by "pipeline/component".
  static std::map<std::string, HoldOutput*>& All() {
    static std::map<std::string, HoldOutput*> all;
    return all;
  }

  Status Start(OutputHost& host) override {
    host_ = &host;
    for (const std::string& key : keys_) All()[key] = this;
    return OkStatus();
  }
  void Write(SharedBatch batch, Ack ack) override {
    MutexLock lock(mu_);
    batch->ForEach([&](uint32_t row) { bodies.emplace_back(batch->body().Get(row).text()); });
    if (config_.hold) {
      held.emplace_back(std::move(batch), std::move(ack));
    } else {
      ack.Done();
    }
  }
  bool HasRoom() const override {
    MutexLock lock(mu_);
    return held.size() < static_cast<size_t>(config_.room);
  }
  void Stop(Duration) override {
    MutexLock lock(mu_);
    held.clear();
  }
  // Acks the i-th held batch.
  void AckOne(size_t i) {
    auto one = Take(i);
    one.second.Done();
    one.first.reset();
    host_->RoomAvailable();
  }
  // Gives up rows of the i-th held batch.
  void GiveUpOne(size_t i, std::vector<uint32_t> rows, std::string_view reason) {
    auto one = Take(i);
    host_->GiveUp(std::move(one.first), std::move(rows), reason, std::move(one.second));
    host_->RoomAvailable();
  }

  mutable Mutex mu_;
  std::vector<std::string> bodies;
  std::deque<std::pair<SharedBatch, Ack>> held;

 private:
  std::pair<SharedBatch, Ack> Take(size_t i) {
    MutexLock lock(mu_);
    std::pair<SharedBatch, Ack> one = std::move(held[i]);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    return one;
  }

  const Config config_;
  const std::vector<std::string> keys_;
  OutputHost* host_ = nullptr;
};

inline Registry TestRegistry() {
  Registry registry;
  registry.Add<ScriptedInput>();
  registry.Add<KeepEven>();
  registry.Add<HoldOutput>();
  return registry;
}

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_TEST_COMPONENTS_H_
