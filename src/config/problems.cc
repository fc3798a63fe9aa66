#include "config/problems.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace kelp::config {

std::string Problem::ToString() const {
  std::string out = file;
  if (line > 0) out += fmt::format("{}{}", out.empty() ? "line " : ":", line);
  if (line > 0 && column > 0) out += fmt::format(":{}", column);
  if (!out.empty()) out += ": ";
  return out + message;
}

void Problems::Add(Problem problem) {
  if (list_.size() >= kProblemsMax) {
    ++left_out_;
    return;
  }
  list_.push_back(std::move(problem));
}

void Problems::Add(const Place& place, std::string key_path, std::string message) {
  Add(Problem{place.file ? *place.file : std::string(), place.line, place.column,
              std::move(key_path), std::move(message)});
}

void Problems::Add(const ConfigNode& node, std::string key_path, std::string message) {
  Add(node.place(), std::move(key_path), std::move(message));
}

std::vector<Problem> Problems::Sorted() const {
  std::map<std::string_view, size_t> file_order;
  for (const Problem& problem : list_) file_order.emplace(problem.file, file_order.size());
  std::vector<Problem> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Problem& a, const Problem& b) {
    const size_t file_a = file_order.find(a.file)->second;
    const size_t file_b = file_order.find(b.file)->second;
    return std::tie(file_a, a.line, a.column) < std::tie(file_b, b.line, b.column);
  });
  return sorted;
}

std::string Problems::ToString() const {
  std::string out;
  for (const Problem& problem : Sorted()) out += problem.ToString() + "\n";
  if (left_out_ > 0) out += fmt::format("... and {} more problems\n", left_out_);
  return out;
}

Status Problems::ToStatus() const {
  if (empty()) return OkStatus();
  std::string text = ToString();
  text.pop_back();
  return InvalidArgumentError(std::move(text));
}

namespace {

// The number of insertions, deletions, replacements and swaps of neighbours that turn a into b.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string_view NearestName(std::string_view word, const std::vector<std::string_view>& names) {
  // Far longer than any name of ours; keeps the quadratic distance cheap on hostile keys.
  constexpr size_t kWordBytesMax = 100;
  if (word.size() > kWordBytesMax) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view name : names) {
    const size_t distance = EditDistance(word, name);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace kelp::config
