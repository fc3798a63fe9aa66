// Runs one fuzz target without libFuzzer: over its seeds, and over some thousands of mutations of
// them from a fixed seed, so that every build of the tests exercises every parser. Long runs are
// for the preset `fuzz` (CONTRIBUTING.md).
#include <dirent.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutationsDefault = 3000;
constexpr size_t kInputBytesMax = 1 << 16;

std::vector<std::string> ReadSeeds(const char* dir) {
  std::vector<std::string> seeds;
  if (DIR* d = opendir(dir)) {
    while (const dirent* entry = readdir(d)) {
      if (entry->d_name[0] == '.') continue;
      std::ifstream in(std::string(dir) + "/" + entry->d_name, std::ios::binary);
      seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    closedir(d);
  }
  return seeds;
}

void RunOne(const std::string& input) {
  // A copy of exact size, so that the address sanitizer sees every byte read past the end.
  std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::string Mutate(std::string input, const std::vector<std::string>& seeds, std::mt19937_64& rng) {
  const int edits = 1 + static_cast<int>(rng() % 6);
  for (int i = 0; i < edits; ++i) {
    const size_t at = input.empty() ? 0 : rng() % input.size();
    switch (rng() % 6) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(rng());
        break;
      case 1:
        input.insert(at, 1, static_cast<char>(rng()));
        break;
      case 2:
        if (!input.empty()) input.erase(at, 1 + rng() % 8);
        break;
      case 3:
        if (!input.empty()) input[at] ^= static_cast<char>(1u << (rng() % 8));
        break;
      case 4:
        input.insert(at, input.substr(at, rng() % 32));
        break;
      default: {
        const std::string& other = seeds[rng() % seeds.size()];
        if (!other.empty()) input = input.substr(0, at) + other.substr(rng() % other.size());
      }
    }
  }
  if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s SEED_DIR [MUTATIONS [RANDOM_SEED]]\n", argv[0]);
    return 64;
  }
  const int mutations = argc > 2 ? std::atoi(argv[2]) : kMutationsDefault;
  std::mt19937_64 rng(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  std::vector<std::string> seeds = ReadSeeds(argv[1]);
  std::printf("%zu seeds, %d mutations\n", seeds.size(), mutations);
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds in %s\n", argv[1]);
    return 1;
  }
  for (const std::string& seed : seeds) RunOne(seed);
  RunOne("");
  for (int i = 0; i < mutations; ++i) RunOne(Mutate(seeds[rng() % seeds.size()], seeds, rng));
  return 0;
}
