// SimOutput: an output that behaves as the Kelp output does, without its threads.
//
// An origin stays in its lane; a lane has one request under way at a time and sends the same again
// until it is taken, so a later batch of an origin is never applied before an earlier one. What it
// holds is limited: HasRoom.
//
// Place:    made by the engine from the registry (`type: sim`); finds its World through
//           SetWorld, as components get no arguments but their configuration.
// Threads:  confined to the simulation's thread; Stop also under Engine::Stop.
#ifndef KELP_TESTS_SIM_SIM_OUTPUT_H_
#define KELP_TESTS_SIM_SIM_OUTPUT_H_

#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "network.h"
#include "pipeline/output.h"
#include "pipeline/spooled_output.h"
#include "sim_file_system.h"

namespace kelp::sim {

// What a SimOutput needs of its World.
struct OutputWorld {
  Network* network = nullptr;
  Destination* destination = nullptr;
  Chance* chance = nullptr;
  Clock* clock = nullptr;
  const SimFileSystem* process = nullptr;
  std::function<void(Duration, std::function<void()>)> after;
  // Rows that the destination answered for.
  std::function<void(uint64_t)> acked;
};

struct SimOutputConfig {
  static const config::Schema<SimOutputConfig>& ConfigSchema();
  int lanes = 2;
  int room = 8;         // batches
  int batches_max = 3;  // in a request
  int pipeline = 0;     // which of the oracle's
};

class SimOutput final : public pipeline::Output, public Sender {
 public:
  static constexpr std::string_view kName = "sim";
  using Config = SimOutputConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<Output>> Create(const Config& config,
                                                const pipeline::ComponentContext& context);
  // For outputs made from now on.
  static void SetWorld(const OutputWorld& world);

  explicit SimOutput(const Config& config);
  ~SimOutput() override;
  Status Start(pipeline::OutputHost& host) override;
  void Write(SharedBatch batch, pipeline::Ack ack) override;
  bool HasRoom() const override { return held_ < static_cast<size_t>(config_.room); }
  void Stop(Duration grace) override;
  void OnAnswer(size_t lane, Answer answer) override;

 private:
  struct Held {
    SharedBatch batch;
    pipeline::Ack ack;
  };
  struct Lane {
    std::deque<Held> waiting;
    size_t sent = 0;  // the first so many are in the request that is under way
    bool busy = false;
  };
  Request MakeRequest(size_t lane, size_t batches) const;
  void SendSome(size_t lane);
  void Later(size_t lane, Duration pause);
  void Taken(Lane& lane);
  void GiveUpOrAck(Held held);

  const Config config_;
  const OutputWorld world_;
  pipeline::OutputHost* host_ = nullptr;
  uint64_t id_ = 0;
  std::vector<Lane> lanes_;
  size_t held_ = 0;
  bool stopped_ = false;
  // Tells a timer that its output is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Where spools are: a directory for each pipeline.
inline constexpr const char* kSpoolDir = "/spool";

// `type: sim_spooled`: the same behind a real spool on the simulated disk, whose thread the World
// plays.
struct SpooledSimConfig {
  SimOutputConfig output;
  ByteSize size = 1_MiB;
  static const config::Schema<SpooledSimConfig>& ConfigSchema();
};

class SpooledSimOutput final : public pipeline::Output {
 public:
  static constexpr std::string_view kName = "sim_spooled";
  using Config = SpooledSimConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<Output>> Create(const Config& config,
                                                const pipeline::ComponentContext& context);

  SpooledSimOutput(const Config& config, const pipeline::ComponentContext& context);
  ~SpooledSimOutput() override;
  Status Start(pipeline::OutputHost& host) override;
  void Write(SharedBatch batch, pipeline::Ack ack) override;
  bool HasRoom() const override { return spool_.HasRoom(); }
  void Stop(Duration grace) override;

 private:
  void StepLater(Duration pause);

  const OutputWorld world_;
  pipeline::SpooledOutput spool_;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_SIM_OUTPUT_H_
