#include "inference/equal_descriptors.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

using namespace kindred;
using namespace kindred::inference;

namespace {

std::string warning_of(const torch::Tensor& rows) {
  return warning_of_equal_descriptors(
      rows.size(0), [&](std::int64_t first, std::int64_t last) { return rows.slice(0, first, last); },
      "query");
}

}  // namespace

TEST_CASE("descriptors of nearly one direction are warned of, with both causes") {
  torch::manual_seed(1);
  const auto direction = torch::randn({1, 64});
  // Of any length, and with what rounding and a collapsed network leave.
  const auto rows = (direction + 1e-4 * torch::randn({3000, 64})) * torch::rand({3000, 1}).add(0.1);
  CHECK(
      warning_of(rows) ==
      "warning: the descriptors of all 3000 query images are nearly equal, so rankings of these are chance, "
      "and so are their figures: either the images are equal, too, or the model tells nobody apart, because "
      "it is untrained or its training collapsed (see the log of the training)");
  CHECK_FALSE(warning_of(rows.slice(0, 0, 2)).empty());
  CHECK(warning_of(rows.slice(0, 0, 1)).empty());
  CHECK(warning_of(rows.slice(0, 0, 0)).empty());
}

TEST_CASE("descriptors that differ are not warned of, and few of them are read") {
  torch::manual_seed(1);
  const auto rows = torch::randn({100000, 64});
  std::int64_t read = 0;
  CHECK(warning_of_equal_descriptors(
            rows.size(0),
            [&](std::int64_t first, std::int64_t last) {
              read += last - first;
              return rows.slice(0, first, last);
            },
            "gallery")
            .empty());
  CHECK(read < 20000);
  CHECK(warning_of(torch::randn({2, 64})).empty());
  // Half of them are alike, the first ones.
  auto halves = torch::ones({5000, 4});
  halves.slice(0, 2500).select(1, 0).mul_(-1);
  CHECK(warning_of(halves).empty());
  auto one_unlike = torch::ones({5000, 4});
  one_unlike[4999][0] = -20;
  CHECK(warning_of(one_unlike).empty());
  for (const double number : {0.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    auto broken = torch::ones({4, 4});
    broken[2].fill_(number);
    CHECK(warning_of(broken).empty());
  }
}

TEST_CASE("rows that are left out do not count") {
  auto rows = torch::ones({10, 4});
  rows[7][0] = -1;
  const auto without = [&](std::int64_t first, std::int64_t last) {
    const auto block = rows.slice(0, first, last);
    return first <= 7 && 7 < last ? torch::cat({block.slice(0, 0, 7 - first), block.slice(0, 8 - first)})
                                  : block;
  };
  CHECK(warning_of(rows).empty());
  CHECK(warning_of_equal_descriptors(10, without, "gallery").find("of all 9 gallery images") !=
        std::string::npos);
}
