#include "tail/start_at.h"

namespace kelp::tail {

std::optional<StartAt> StartAt::FromConfig(const config::ConfigNode& node, const std::string& path,
                                           config::Problems& problems) {
  if (node.is_scalar() && node.text() == "beginning") return StartAt{};
  if (node.is_scalar() && node.text() == "end") return StartAt{Kind::kEnd, {}};
  const config::ConfigNode* last = node.Find("last");
  if (last == nullptr || !last->is_scalar() || node.entries().size() != 1) {
    problems.Add(node, path, "must be beginning, end, or {last: SIZE}, but is " + node.Describe());
    return std::nullopt;
  }
  const Result<ByteSize> size = ParseByteSize(last->text());
  if (!size.ok()) {
    problems.Add(*last, path + ".last", std::string(size.status().message()));
    return std::nullopt;
  }
  return StartAt{Kind::kLast, *size};
}

config::ConfigNode StartAt::ToConfig() const {
  switch (kind) {
    case Kind::kBeginning:
      return config::ConfigNode::Scalar("beginning");
    case Kind::kEnd:
      return config::ConfigNode::Scalar("end");
    case Kind::kLast:
      break;
  }
  return config::ConfigNode::Map({{"last", config::ConfigNode::Scalar(FormatByteSize(last)), {}}});
}

}  // namespace kelp::tail
