// Runs tests/cases/input/NAME/*.case. A case is a text in sections, each begun by a line "== NAME":
//
//   == config       YAML of the input, without `include`
//   == input        the file. \xNN is that byte, \r a carriage return, \\ a backslash; a line that
//                   ends with \c has no newline
//   == rows         the rows it becomes: [begin,end) body, then fields that are not empty; bodies
//                   and fields as JSON
//   == counters     cut, malformed, unmatched, nuls: those that are not 0; may be left out
//
// Text before the first section says what the case is about. Each file is read in turns of several
// sizes, and once more from every place where a restart could begin.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "base/env.h"
#include "codec/json_print.h"
#include "framing/testing.h"
#include "input/file/file_input.h"
#include "input/pod_logs/pod_logs_input.h"

namespace kelp::input {
namespace {

using framing::testing::Decoded;
using framing::testing::ReadAll;

using Sections = std::map<std::string, std::string>;

Sections ReadSections(const std::string& text) {
  Sections sections;
  std::string* current = nullptr;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (line.starts_with("== ")) {
      current = &sections[line.substr(3)];
    } else if (current != nullptr) {
      *current += line + "\n";
    }
    begin = end + 1;
  }
  return sections;
}

std::string Unescape(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char c = text.at(++i);
    if (c == 'x') {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else if (c == 'c') {
      ++i;  // the newline
    } else {
      out += c == 'r' ? '\r' : c;
    }
  }
  return out;
}

std::vector<std::string> Print(const Decoded& rows) {
  std::vector<std::string> out;
  for (size_t i = 0; i < rows.bodies.size(); ++i) {
    codec::ByteBuffer body;
    codec::AppendJsonString(body, rows.bodies[i]);
    out.push_back("[" + std::to_string(rows.begins[i]) + "," + std::to_string(rows.ends[i]) + ") " +
                  std::string(body.view()) + (rows.fields[i].empty() ? "" : " ") + rows.fields[i]);
  }
  return out;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

std::string Counters(const framing::DecodeCounts& counts) {
  std::string out;
  const auto print = [&](const char* name, uint64_t value) {
    if (value != 0) out += std::string(name) + " " + std::to_string(value) + "\n";
  };
  print("cut", counts.cut_lines);
  print("malformed", counts.malformed_lines);
  print("unmatched", counts.unmatched_lines);
  print("nuls", counts.nul_bytes);
  return out;
}

template <typename Config>
Result<framing::FramingOptions> FramingOf(const std::string& yaml) {
  ASSIGN_OR_RETURN(const Config config, Config::ConfigSchema().ParseText(yaml));
  return config.Framing();
}

void RunCase(const std::string& path, bool is_file) {
  SCOPED_TRACE(path);
  const auto text = ReadFile(RealEnv().files(), path);
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  Sections sections = ReadSections(*text);
  for (const char* name : {"config", "input", "rows"}) {
    ASSERT_EQ(sections.count(name), 1u) << "no section " << name;
  }
  const std::string& yaml = sections["config"];
  const auto framing = is_file ? FramingOf<FileInputConfig>("include: [/a]\n" + yaml)
                               : FramingOf<PodLogsInputConfig>(yaml);
  ASSERT_TRUE(framing.ok()) << framing.status().ToString();
  const std::string input = Unescape(sections["input"]);
  const auto make = [&] { return std::move(framing::MakeDecoder(*framing)).value(); };
  const auto whole_decoder = make();
  const auto whole = ReadAll(*whole_decoder, input, input.size() + 1);
  EXPECT_EQ(Joined(Print(whole.rows)), sections["rows"]);
  EXPECT_EQ(Counters(whole_decoder->TakeCounts()), sections["counters"]);
  for (const size_t step : {1, 5, 64}) {
    const auto parts = ReadAll(*make(), input, step);
    EXPECT_EQ(Joined(Print(parts.rows)), sections["rows"]) << "in turns of " << step;
    for (const auto& place : parts.places) {
      const auto again = ReadAll(*make(), input, 64, place);
      std::vector<std::string> expected = Print(whole.rows);
      const auto sent =
          std::upper_bound(whole.rows.ends.begin(), whole.rows.ends.end(), place.emitted) -
          whole.rows.ends.begin();
      expected.erase(expected.begin(), expected.begin() + sent);
      EXPECT_EQ(Joined(Print(again.rows)), Joined(expected)) << "again from " << place.resume;
    }
  }
}

TEST(InputCases, GiveTheRowsTheySay) {
  const char* root = std::getenv("KELP_SOURCE_DIR");
  ASSERT_NE(root, nullptr) << "set KELP_SOURCE_DIR to the source folder, as ctest does";
  for (const char* input : {"file", "pod_logs"}) {
    const std::string dir = JoinPath(JoinPath(root, "tests/cases/input"), input);
    const auto listed = RealEnv().files().ListDir(dir);
    ASSERT_TRUE(listed.ok()) << listed.status().ToString();
    std::vector<std::string> names;
    for (const DirEntry& file : *listed) {
      if (file.name.ends_with(".case")) names.push_back(file.name);
    }
    EXPECT_FALSE(names.empty()) << "no cases for " << input;
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) RunCase(JoinPath(dir, name), dir.ends_with("file"));
  }
}

}  // namespace
}  // namespace kelp::input
