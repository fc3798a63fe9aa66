// Entry: one row on its way through a pipeline: its line and its labels.
//
// Labels are of three kinds, as in Loki: those of the stream (tags of the row's resource), fields
// of the row ("structured metadata"), and what stages of the query made.
//
// Owns:     texts that stages made; all else points into the row, which outlives it.
// Threads:  confined to one thread.
// Limits:   kLabelsMax labels; more are left out.
// Tests:    case_test.cc (tests/cases/logql)
#ifndef KELP_LOKI_ENTRY_H_
#define KELP_LOKI_ENTRY_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"

namespace kelp::loki {

// Labels of one entry: a hostile line could make as many as it has bytes.
inline constexpr size_t kLabelsMax = 512;

enum class Category : uint8_t { kStream, kField, kParsed };

struct Label {
  std::string_view name;
  std::string_view value;
  Category category = Category::kStream;
};

// Texts that live until Clear().
class TextArena {
 public:
  std::string_view Copy(std::string_view text) {
    char* p = Allocate(text.size());
    if (!text.empty()) std::memcpy(p, text.data(), text.size());
    return {p, text.size()};
  }
  char* Allocate(size_t size) {
    if (size > left_) {
      const size_t chunk = size > kChunkBytes ? size : kChunkBytes;
      chunks_.push_back(std::make_unique<char[]>(chunk));
      next_ = chunks_.back().get();
      left_ = chunk;
    }
    char* p = next_;
    next_ += size;
    left_ -= size;
    return p;
  }
  void Clear() {
    // One chunk stays for the next row.
    if (chunks_.size() > 1) {
      chunks_.clear();
      left_ = 0;
      return;
    }
    if (chunks_.empty()) return;
    left_ += static_cast<size_t>(next_ - chunks_[0].get());
    next_ = chunks_[0].get();
  }

 private:
  static constexpr size_t kChunkBytes = 4096;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

struct Entry {
  UnixNanos time = 0;
  std::string_view line;
  std::vector<Label> labels;  // each name once
  TextArena arena;

  // Missing labels are empty, as in Loki.
  std::string_view Get(std::string_view name) const {
    const Label* label = Find(name);
    return label == nullptr ? std::string_view() : label->value;
  }
  // The value of a label of the stream: what selectors look at.
  std::string_view Tag(std::string_view name) const {
    const Label* label = Find(name);
    return label == nullptr || label->category != Category::kStream ? std::string_view()
                                                                    : label->value;
  }
  const Label* Find(std::string_view name) const {
    for (const Label& label : labels) {
      if (label.name == name) return &label;
    }
    return nullptr;
  }
  // An empty value removes the label. Name and value must live as long as the entry's row.
  void Set(std::string_view name, std::string_view value, Category category) {
    for (Label& label : labels) {
      if (label.name != name) continue;
      if (value.empty()) {
        label = labels.back();
        labels.pop_back();
      } else {
        label.value = value;
        label.category = category;
      }
      return;
    }
    if (!value.empty() && labels.size() < kLabelsMax) labels.push_back({name, value, category});
  }
  // A label that a parser found: one of the stream's keeps its name.
  void SetParsed(std::string_view name, std::string_view value) {
    const Label* label = Find(name);
    if (label != nullptr && label->category == Category::kStream) {
      name = arena.Copy(std::string(name) + "_extracted");
    }
    Set(name, value, Category::kParsed);
  }
  void SetError(std::string_view error, std::string_view details) {
    Set("__error__", error, Category::kParsed);
    Set("__error_details__", details, Category::kParsed);
  }
};

// "k8s.pod.name" becomes "k8s_pod_name".
std::string LabelName(std::string_view name);
// Only names that LabelName would leave as they are.
bool IsLabelName(std::string_view name);

}  // namespace kelp::loki

#endif  // KELP_LOKI_ENTRY_H_
