// A Context for tests: captured output, variables from a map, and a registry of small components.
#ifndef KELP_APPS_KELP_TEST_CONTEXT_H_
#define KELP_APPS_KELP_TEST_CONTEXT_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli.h"
#include "pipeline/registry.h"

namespace kelp::cli::testing {

struct FakeInputConfig {
  std::vector<std::string> include;
};

class FakeInput final : public pipeline::Input {
 public:
  static constexpr std::string_view kName = "file";
  using Config = FakeInputConfig;
  static const config::Schema<Config>& ConfigSchema() {
    static const auto schema =
        config::Schema<Config>("file", "Reads files.")
            .Field("include", &Config::include,
                   {.doc = "Paths.", .required = true, .example = "[/var/log/*.log]"});
    return schema;
  }
  static Result<std::unique_ptr<Input>> Create(const Config&, const pipeline::ComponentContext&) {
    return std::unique_ptr<Input>(std::make_unique<FakeInput>());
  }
  Status Start(pipeline::InputHost&) override { return OkStatus(); }
  void Stop() override {}
};

struct SplitConfig {
  std::string separator = "=";
  std::string drop;
};

// Splits "key=value" bodies into a field, and drops rows whose body is `drop`.
class SplitProcessor final : public pipeline::Processor {
 public:
  static constexpr std::string_view kName = "split";
  using Config = SplitConfig;
  static const config::Schema<Config>& ConfigSchema() {
    static const auto schema =
        config::Schema<Config>("split", "Splits a body at a separator.")
            .Field("separator", &Config::separator, {.doc = "One character."})
            .Field("drop", &Config::drop, {.doc = "A body to drop."});
    return schema;
  }
  static Result<std::unique_ptr<Processor>> Create(const Config& config,
                                                   const pipeline::ComponentContext&) {
    if (config.separator.size() != 1) {
      return InvalidArgumentError("separator must be one character");
    }
    return std::unique_ptr<Processor>(std::make_unique<SplitProcessor>(config));
  }
  explicit SplitProcessor(Config config) : config_(std::move(config)) {}
  void Process(Batch& batch) override {
    batch.Select([&](uint32_t row) { return batch.body().Get(row).text() != config_.drop; });
    batch.ForEach([&](uint32_t row) {
      const std::string_view body = batch.body().Get(row).text();
      const size_t at = body.find(config_.separator[0]);
      if (at == std::string_view::npos) return;
      batch.SetField(row, batch.Copy(body.substr(0, at)), Value::String(body.substr(at + 1)));
    });
  }

 private:
  Config config_;
};

struct NullOutputConfig {
  std::string token;
};

class NullOutput final : public pipeline::Output {
 public:
  static constexpr std::string_view kName = "blackhole";
  using Config = NullOutputConfig;
  static const config::Schema<Config>& ConfigSchema() {
    static const auto schema =
        config::Schema<Config>("blackhole", "Takes rows and forgets them.")
            .Field("token", &Config::token, {.doc = "A secret.", .secret = true});
    return schema;
  }
  static Result<std::unique_ptr<Output>> Create(const Config&, const pipeline::ComponentContext&) {
    return std::unique_ptr<Output>(std::make_unique<NullOutput>());
  }
  Status Start(pipeline::OutputHost&) override { return OkStatus(); }
  void Write(SharedBatch, pipeline::Ack ack) override { ack.Done(); }
  void Stop(Duration) override {}
};

inline const pipeline::Registry& SmallRegistry() {
  static const pipeline::Registry* const registry = [] {
    auto* made = new pipeline::Registry;
    made->Add<FakeInput>();
    made->Add<SplitProcessor>();
    made->Add<NullOutput>();
    return made;
  }();
  return *registry;
}

class CapturedPrinter final : public Printer {
 public:
  void Out(std::string_view text) override { out += text; }
  void Err(std::string_view text) override { err += text; }
  std::string out;
  std::string err;
};

struct TestContext {
  CapturedPrinter printer;
  std::map<std::string, std::string> variables;
  Context context{
      .env = RealEnv(),
      .out = printer,
      .registry = SmallRegistry(),
      .variable = [this](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      .version = "1.2.3",
      .program_dir = "/nowhere",
  };
  TestContext() = default;
  TestContext(const TestContext&) = delete;
  TestContext& operator=(const TestContext&) = delete;

  int Run(const std::vector<std::string>& words) {
    printer.out.clear();
    printer.err.clear();
    return cli::Run(words, context);
  }
};

// A directory that goes away with the test.
class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/kelp_cli_XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TempDir() { RealEnv().files().RemoveTree(path_).IgnoreError(); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  // The path of a file with this text.
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = JoinPath(path_, name);
    WriteFileAtomically(RealEnv().files(), path, text).IgnoreError();
    return path;
  }

 private:
  std::string path_;
};

}  // namespace kelp::cli::testing

#endif  // KELP_APPS_KELP_TEST_CONTEXT_H_
