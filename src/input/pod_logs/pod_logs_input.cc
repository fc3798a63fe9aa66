#include "input/pod_logs/pod_logs_input.h"

#include <algorithm>
#include <utility>

namespace kelp::input {
namespace {

bool AnyMatches(const std::vector<std::string>& patterns, const std::string& name) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const auto& p) { return tail::MatchName(p, name); });
}

// The root as a pattern that means exactly itself.
std::string Escaped(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (std::string_view("*?[]{},\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

Result<tail::Glob> TreeOf(const std::string& root) {
  return tail::Glob::Parse(Escaped(root) + "/*/*/*.log");
}

}  // namespace

const config::Schema<PodSelector>& PodSelector::ConfigSchema() {
  static const auto schema =
      config::Schema<PodSelector>("pod_selector",
                                  "Containers by name. All lists that are given must match.")
          .Field("namespaces", &PodSelector::namespaces,
                 {.doc = "Names of namespaces, with *, ? and [a-z].",
                  .example = "[prod-*]",
                  .scalar_ok = true})
          .Field("pods", &PodSelector::pods,
                 {.doc = "Names of pods.", .example = "[web-*]", .scalar_ok = true})
          .Field("containers", &PodSelector::containers,
                 {.doc = "Names of containers.", .example = "[app]", .scalar_ok = true});
  return schema;
}

bool PodSelector::Matches(const PodLogPath& path) const {
  return AnyMatches(namespaces, path.namespace_name) && AnyMatches(pods, path.pod_name) &&
         (path.container_name.empty() || AnyMatches(containers, path.container_name));
}

const config::Schema<PodLogsInputConfig>& PodLogsInputConfig::ConfigSchema() {
  static const auto schema = [] {
    config::Schema<PodLogsInputConfig> table(
        "pod_logs", "Follows the logs of all pods on this node, by the kubelet's files.",
        {.untrusted_input = true,
         .example = "include: {namespaces: [prod-*]}\n"
                    "exclude: {containers: [istio-proxy]}\n"});
    table
        .Field("root", &PodLogsInputConfig::root,
               {.doc = "The kubelet's tree: NAMESPACE_POD_UID/CONTAINER/N.log below it.",
                .example = "/host/var/log/pods"})
        .Field("include", &PodLogsInputConfig::include, {.doc = "Which containers; all if empty."})
        .Field("exclude", &PodLogsInputConfig::exclude,
               {.doc = "Which of them not; nothing if empty."})
        .Check([](const PodLogsInputConfig& config, config::CheckContext& context) {
          const Result<tail::Glob> tree = TreeOf(config.root);
          if (!tree.ok()) context.Fail("root", "must be an absolute path without a / at its end");
        });
    AddFollowKeys(table);
    return table;
  }();
  return schema;
}

framing::FramingOptions PodLogsInputConfig::Framing() const {
  framing::FramingOptions framing = FollowKeys::Framing();
  framing.format = framing::Format::kContainer;
  return framing;
}

Result<std::unique_ptr<pipeline::Input>> PodLogsInput::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  return std::unique_ptr<pipeline::Input>(std::make_unique<PodLogsInput>(config, context));
}

PodLogsInput::PodLogsInput(const Config& config, const pipeline::ComponentContext& context)
    : config_(config), context_(context) {}

PodLogsInput::~PodLogsInput() { Stop(); }

ResourcePtr PodLogsInput::ResourceOf(const std::string& root, const std::string& path,
                                     const std::string& host_name) {
  std::vector<Resource::Tag> tags{{"log.file.path", path}};
  if (!host_name.empty()) tags.emplace_back("host.name", host_name);
  if (auto parsed = PodLogPath::Parse(root, path)) {
    tags.emplace_back("k8s.namespace.name", std::move(parsed->namespace_name));
    tags.emplace_back("k8s.pod.name", std::move(parsed->pod_name));
    tags.emplace_back("k8s.pod.uid", std::move(parsed->pod_uid));
    tags.emplace_back("k8s.container.name", std::move(parsed->container_name));
    tags.emplace_back("k8s.container.restart_count", std::move(parsed->restart_count));
  }
  return std::make_shared<const Resource>(std::move(tags));
}

Result<tail::FollowOptions> PodLogsInput::Options() const {
  tail::FollowOptions options;
  options.checkpoint_space = context_.pipeline + "/" + context_.component;
  options.include.Add(*TreeOf(config_.root));
  // A directory of which nothing can be wanted is not even watched: with many pipelines on a node,
  // each of them minds its own pods.
  options.want_dir = [root = config_.root, include = config_.include,
                      exclude = config_.exclude](const std::string& path) {
    if (path.size() <= root.size()) return true;  // the way down to the root
    const auto parsed = PodLogPath::Parse(root, path);
    if (!parsed || !include.Matches(*parsed)) return false;
    if (exclude.empty() || !exclude.Matches(*parsed)) return true;
    // A pod is out as a whole only when no container list spares some of it.
    return parsed->container_name.empty() && !exclude.containers.empty();
  };
  options.want_file = [root = config_.root, include = config_.include,
                       exclude = config_.exclude](const std::string& path) {
    const auto parsed = PodLogPath::Parse(root, path);
    return parsed && !parsed->restart_count.empty() && include.Matches(*parsed) &&
           (exclude.empty() || !exclude.Matches(*parsed));
  };
  RETURN_IF_ERROR(config_.Apply(config_.Framing(), options));
  options.resource = [root = config_.root, host = context_.services.host_name](
                         const std::string& path) { return ResourceOf(root, path, host); };
  options.metrics = tail::FollowMetrics::For(context_);
  return options;
}

Status PodLogsInput::Start(pipeline::InputHost& host) {
  if (context_.services.tail == nullptr) {
    return InternalError("the input " + context_.component + " cannot follow files here");
  }
  ASSIGN_OR_RETURN(tail::FollowOptions options, Options());
  follow_ = context_.services.tail->Add(std::move(options), host);
  return OkStatus();
}

void PodLogsInput::Stop() {
  if (follow_ != 0) context_.services.tail->Remove(std::exchange(follow_, 0));
}

}  // namespace kelp::input
