#include "results/roc_file.h"

#include <doctest/doctest.h>

#include <limits>

#include "data_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

TEST_CASE("a curve is written with a line for each point, without loss, and read back") {
  const TemporaryFolder folder;
  const auto file = folder / "roc.csv";
  constexpr float endless = std::numeric_limits<float>::infinity();
  RocFile{{{0.1F, 0, 1.0 / 3}, {endless, 1, 1}}}.write(file);
  CHECK(read_bytes(file) ==
        "distance,false_positive_rate,true_positive_rate\n"
        "0.1,0,0.3333333333333333\n"
        "inf,1,1\n");
  const auto read = RocFile::read(file).points;
  REQUIRE(read.size() == 2);
  CHECK(read[0].distance == 0.1F);
  CHECK(read[0].false_positive_rate == 0);
  CHECK(read[0].true_positive_rate == 1.0 / 3);
  CHECK(read[1].distance == endless);
}

TEST_CASE("a damaged curve is refused with the line") {
  const TemporaryFolder folder;
  const auto file =
      folder.write("roc.csv", "distance,false_positive_rate,true_positive_rate\n0.1,0,0\n0.2,nan,0\n");
  CHECK(contains(error_of([&] { static_cast<void>(RocFile::read(file)); }),
                 "roc.csv:3: error: the false_positive_rate 'nan' is not a number"));
}
