#include "kindred/text/mat_file.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data_files.h"
#include "kindred/core/random.h"
#include "made_mat_file.h"

using namespace kindred;
using namespace kindred::test;

namespace {

const std::vector<std::string> mat_names{"1_001_1_01.png", "1_001_2_06.png", "2_001_1_01.png"};

std::vector<std::string> some_variables() {
  return {mat_texts("filelist", mat_names), mat_numbers("labels", {1, 1, 2, 2, 844}),
          mat_numbers("query_idx", {3}), mat_matrix("tracks", {{1, 16, -1, 3}, {17, 20, 2, 4}}),
          mat_array(6, 1, "half", mat_element(9, std::string("\0\0\0\0\0\0\xe0\x3f", 8)))};
}

}  // namespace

TEST_CASE("a matrix of a MAT-file is read by row and column, compressed or not") {
  const TemporaryFolder folder;
  for (const bool compressed : {false, true}) {
    CAPTURE(compressed);
    const auto variables = read_mat_file(folder.write("some.mat", mat_file(some_variables(), compressed)));
    CHECK(variables.texts.at("filelist") == mat_names);
    CHECK(variables.numbers.at("labels").values == std::vector<std::int64_t>{1, 1, 2, 2, 844});
    CHECK(variables.numbers.at("query_idx").values == std::vector<std::int64_t>{3});
    CHECK_FALSE(variables.numbers.contains("half"));  // 0.5 is not whole
    const auto& tracks = variables.numbers.at("tracks");
    CHECK(tracks.rows == 2);
    CHECK(tracks.columns == 4);
    CHECK(tracks.at(0, 1) == 16);
    CHECK(tracks.at(0, 2) == -1);
    CHECK(tracks.at(1, 0) == 17);
    CHECK(tracks.at(1, 3) == 4);
  }
}

TEST_CASE("a damaged MAT-file is an error at each place, and nothing worse") {
  const TemporaryFolder folder;
  const auto outcome = [&](const std::string& bytes) {
    const auto file = folder.write("some.mat", bytes);
    return message_of<DataError>([&] { (void)read_mat_file(file); });
  };
  CHECK(outcome(mat_file(some_variables())).empty());
  CHECK(contains(outcome("MATLAB 7.3 MAT-file"), "is a MAT-file of version 7.3 (HDF5)"));
  CHECK(contains(outcome("hello"), "is not a MAT-file of version 5"));
  CHECK(contains(message_of<DataError>([&] { (void)read_mat_file(folder / "none.mat"); }), "does not exist"));
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(contains(message_of<DataError>([&] { (void)read_mat_file(folder / "loop"); }),
                 "cannot be read: Too many levels of symbolic links"));
  for (const bool compressed : {false, true}) {
    const auto whole = mat_file(some_variables(), compressed);
    for (std::size_t size = 0; size < whole.size(); size += 3) (void)outcome(whole.substr(0, size));
    RandomStream random(1);
    for (int trial = 0; trial < 500; ++trial) {
      auto bytes = whole;
      const auto at = random.integer(128, static_cast<std::int64_t>(bytes.size()) - 1);
      bytes[static_cast<std::size_t>(at)] = static_cast<char>(random.integer(0, 255));
      (void)outcome(bytes);
    }
  }
  auto cut = mat_file(some_variables(), true);
  cut.resize(cut.size() - 5);
  CHECK(contains(outcome(cut), "is damaged: an element is longer than what is left of the file"));
}

TEST_CASE("what a small file unpacks to is limited for all variables together") {
  const TemporaryFolder folder;
  const auto zeros =
      mat_compressed(mat_array(6, 1, "zeros", mat_element(2, std::string(30 << 20, '\0')), 30 << 20));
  REQUIRE(zeros.size() < std::size_t{1} << 16);
  const auto outcome = [&](int variables) {
    auto bytes = mat_header();
    for (int i = 0; i < variables; ++i) bytes += zeros;
    const auto file = folder.write("zeros.mat", bytes);
    return message_of<DataError>([&] { (void)read_mat_file(file); });
  };
  CHECK(outcome(2) == "");
  CHECK(contains(outcome(3), "zeros.mat: error: is damaged: its variables are larger than 64 MB"));
}
