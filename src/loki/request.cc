#include "loki/request.h"

#include "loki/pipeline.h"
#include "loki/prefilter.h"
#include "loki/row_entry.h"

namespace kelp::loki {

Plan MakePlan(const Target& target, std::span<const Matcher> selector,
              std::span<const Stage> stages, UnixNanos from, UnixNanos to) {
  MatcherRun run;
  std::vector<query::MergedSnapshot::Source> sources;
  for (const auto& source : target.sources) {
    bool wanted = true;
    for (const Matcher& matcher : selector) {
      wanted = wanted && (matcher.label != kLogstoreLabel || run.Matches(matcher, source.logstore));
    }
    if (wanted) sources.push_back(source);
  }
  Plan plan;
  plan.snapshot = std::make_unique<query::MergedSnapshot>(std::move(sources));
  if (target.prefilter) {
    plan.query = MakePrefilter(selector, stages, NamesIn(*plan.snapshot, from, to));
  } else {
    query::ParseError error;
    plan.query = query::Parse("*", error);
  }
  return plan;
}

void Cost::Add(const query::Stats& more, const std::string& why) {
  stats.blocks += more.blocks;
  stats.blocks_skipped += more.blocks_skipped;
  stats.rows_scanned += more.rows_scanned;
  stats.bytes_scanned += more.bytes_scanned;
  stats.cpu += more.cpu;
  stats.wall += more.wall;
  if (why.empty() || partial.find(why) != std::string::npos) return;
  // Each page may meet other damage, and people read a few lines.
  constexpr size_t kReasonBytesMax = 2 << 10;
  if (partial.size() > kReasonBytesMax) return;
  if (!partial.empty()) partial += "; ";
  partial += why;
}

}  // namespace kelp::loki
