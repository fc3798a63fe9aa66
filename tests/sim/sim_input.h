// SimFileInput: the file input, with the oracle listening: which sources it adds, and what they
// report as lost.
//
// Place:    made by the engine from the registry in the place of FileInput, which it passes all
//           calls to; finds its Losses through SetLosses, as components get no arguments but their
//           configuration.
// Threads:  confined to the simulation's thread.
#ifndef KELP_TESTS_SIM_SIM_INPUT_H_
#define KELP_TESTS_SIM_SIM_INPUT_H_

#include <memory>
#include <string_view>
#include <utility>

#include "input/file/file_input.h"
#include "losses.h"

namespace kelp::sim {

class SimFileInput final : public pipeline::Input {
 public:
  static constexpr std::string_view kName = input::FileInput::kName;
  using Config = input::FileInputConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<Input>> Create(const Config& config,
                                               const pipeline::ComponentContext& context);
  // For those made from now on.
  static void SetLosses(Losses* losses);

  explicit SimFileInput(std::unique_ptr<Input> input);
  ~SimFileInput() override;
  Status Start(pipeline::InputHost& host) override;
  void Stop() override;

 private:
  class Host;
  const std::unique_ptr<Input> input_;
  std::unique_ptr<Host> host_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_SIM_INPUT_H_
