// What the fuzzer has found, and what it begins with, read in the suite: no libFuzzer needed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <random>
#include <string>

#include "fuzz_target.h"

using namespace kindred;
namespace fs = std::filesystem;

namespace {

/// What went through the target; "" for nothing.
std::string fault_of(const fuzz::FuzzTarget& target, const std::string& bytes) {
  try {
    static_cast<void>(target.accepts(bytes));
    return "";
  } catch (const std::exception& error) {
    return std::string("went through: ") + error.what();
  }
}

}  // namespace

TEST_CASE("every seed is accepted") {
  for (const auto& target : fuzz::fuzz_targets()) {
    const auto seeds = target.seeds();
    CHECK_MESSAGE(!seeds.empty(), target.name);
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      CAPTURE(std::string(target.name));
      CAPTURE(i);
      CHECK(fault_of(target, seeds[i]) == "");
      CHECK(target.accepts(seeds[i]));
    }
  }
}

TEST_CASE("what the fuzzer has found is refused with a word, or read") {
  std::size_t files = 0;
  for (const auto& folder : fs::directory_iterator(KINDRED_FUZZ_CORPUS)) {
    const auto name = folder.path().filename().string();
    const auto* target = fuzz::find_fuzz_target(name);
    REQUIRE_MESSAGE(target != nullptr, name);
    for (const auto& file : fs::directory_iterator(folder)) {
      CAPTURE(file.path().string());
      CHECK(fault_of(*target, fuzz::content_of_file(file.path())) == "");
      ++files;
    }
  }
  CHECK(files > 0);
}

TEST_CASE("a seed that is cut off or changed anywhere is refused with a word, or read") {
  constexpr std::size_t cuts = 40;
  constexpr int changes = 60;
  std::mt19937 random(20261129);
  for (const auto& target : fuzz::fuzz_targets()) {
    for (const auto& seed : target.seeds()) {
      CAPTURE(std::string(target.name));
      const auto step = std::max<std::size_t>(1, seed.size() / cuts);
      for (std::size_t size = 0; size < seed.size(); size += step) {
        CAPTURE(size);
        CHECK(fault_of(target, seed.substr(0, size)) == "");
      }
      for (int i = 0; i < changes && !seed.empty(); ++i) {
        auto changed = seed;
        const auto at = random() % changed.size();
        changed[at] = static_cast<char>(random());
        CAPTURE(at);
        CHECK(fault_of(target, changed) == "");
      }
    }
  }
}

TEST_CASE("files are put into one input and taken out again") {
  const fuzz::Files files{{"a.bin", std::string("\0=== x\n\n", 9)}, {"b/c.toml", ""}, {"d", "text\n"}};
  CHECK(fuzz::split_files(fuzz::join_files(files)) == files);
  CHECK(fuzz::split_files("lost\n=== a/../b\nx\n=== /etc/passwd\ny\n=== ok\nz").size() == 1);
}
