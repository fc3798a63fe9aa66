#include "query/pattern_join.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "query/patterns.h"

namespace kelp::query {
namespace {

// Of the tokens of two masks so many have to be equal (per cent): "user <*> logged in" is a
// pattern, "user <*> <*> <*>" says nothing.
constexpr size_t kSharePercent = 60;
// A group with more patterns than this is free text; its masks are joined with the first ones only.
constexpr size_t kPatternsPerGroupMax = 200;
constexpr std::string_view kAnything = "<*>";

struct Cluster {
  std::vector<std::string> tokens;
  MaskCount sum;
};

std::vector<std::string> Split(std::string_view mask) {
  std::vector<std::string> tokens;
  while (!mask.empty()) {
    const size_t space = std::min(mask.find(' '), mask.size());
    tokens.emplace_back(mask.substr(0, space));
    mask.remove_prefix(std::min(space + 1, mask.size()));
  }
  return tokens;
}

bool IsMark(std::string_view token) { return token.find('<') != std::string_view::npos; }

bool SharesMost(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  size_t same = 0;
  for (size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
  return same * 100 >= a.size() * kSharePercent;
}

void Add(Cluster& cluster, const std::vector<std::string>& tokens, MaskCount&& mask) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (cluster.tokens[i] != tokens[i]) cluster.tokens[i] = kAnything;
  }
  for (size_t i = 0; i < mask.counts.size(); ++i) cluster.sum.counts[i] += mask.counts[i];
  for (std::string& sample : mask.samples) {
    if (cluster.sum.samples.size() < kPatternSamples) {
      cluster.sum.samples.push_back(std::move(sample));
    }
  }
}

uint64_t Total(const MaskCount& mask) { return mask.counts[0] + mask.counts[1]; }

}  // namespace

std::vector<MaskCount> JoinMasks(std::vector<MaskCount> masks) {
  std::sort(masks.begin(), masks.end(), [](const MaskCount& a, const MaskCount& b) {
    return Total(a) != Total(b) ? Total(a) > Total(b) : a.mask < b.mask;
  });
  std::map<std::pair<size_t, std::string>, std::vector<Cluster>> groups;
  for (MaskCount& mask : masks) {
    std::vector<std::string> tokens = Split(mask.mask);
    std::string first = tokens.empty() || IsMark(tokens[0]) ? std::string() : tokens[0];
    std::vector<Cluster>& group = groups[{tokens.size(), std::move(first)}];
    const auto found = std::find_if(group.begin(), group.end(), [&](const Cluster& cluster) {
      return SharesMost(cluster.tokens, tokens);
    });
    if (found != group.end()) {
      Add(*found, tokens, std::move(mask));
    } else if (group.size() < kPatternsPerGroupMax) {
      group.push_back({std::move(tokens), std::move(mask)});
    } else {
      Add(group.back(), tokens, std::move(mask));
    }
  }
  std::vector<MaskCount> out;
  for (auto& [key, group] : groups) {
    for (Cluster& cluster : group) {
      cluster.sum.mask.clear();
      for (const std::string& token : cluster.tokens) {
        if (!cluster.sum.mask.empty()) cluster.sum.mask += ' ';
        cluster.sum.mask += token;
      }
      out.push_back(std::move(cluster.sum));
    }
  }
  std::sort(out.begin(), out.end(), [](const MaskCount& a, const MaskCount& b) {
    if (a.counts[0] != b.counts[0]) return a.counts[0] > b.counts[0];
    return a.counts[1] != b.counts[1] ? a.counts[1] > b.counts[1] : a.mask < b.mask;
  });
  return out;
}

}  // namespace kelp::query
