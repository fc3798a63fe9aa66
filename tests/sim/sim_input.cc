#include "sim_input.h"

#include <map>

#include "breaks.h"

namespace kelp::sim {
namespace {

Losses* g_losses = nullptr;

}  // namespace

class SimFileInput::Host final : public pipeline::InputHost {
 public:
  Host(InputHost& host, Losses& losses) : host_(host), losses_(losses) {}

  pipeline::SourceId Add(std::shared_ptr<pipeline::Source> source) override {
    const auto file = std::dynamic_pointer_cast<tail::FileSource>(source);
    losses_.Added(file);
    const pipeline::SourceId id = host_.Add(std::move(source));
    sources_[id] = file;
    return id;
  }
  void Ready(pipeline::SourceId id) override { host_.Ready(id); }
  void Remove(pipeline::SourceId id) override { host_.Remove(id); }
  void Lost(pipeline::SourceId id, const pipeline::Loss& loss) override {
    if (Broken(Break::kHideLoss)) return;
    const std::shared_ptr<tail::FileSource> source = sources_.at(id).lock();
    CHECK(source != nullptr, "a source is gone before its last word");
    losses_.Reported(*source, loss);
    host_.Lost(id, loss);
  }

 private:
  InputHost& host_;
  Losses& losses_;
  std::map<pipeline::SourceId, std::weak_ptr<tail::FileSource>> sources_;
};

void SimFileInput::SetLosses(Losses* losses) { g_losses = losses; }

Result<std::unique_ptr<pipeline::Input>> SimFileInput::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  ASSIGN_OR_RETURN(std::unique_ptr<Input> input, input::FileInput::Create(config, context));
  return std::unique_ptr<Input>(new SimFileInput(std::move(input)));
}

SimFileInput::SimFileInput(std::unique_ptr<Input> input) : input_(std::move(input)) {}
SimFileInput::~SimFileInput() = default;

Status SimFileInput::Start(pipeline::InputHost& host) {
  host_ = std::make_unique<Host>(host, *g_losses);
  return input_->Start(*host_);
}

void SimFileInput::Stop() { input_->Stop(); }

}  // namespace kelp::sim
