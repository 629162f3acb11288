#include "kindred/search/row_lengths.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <stdexcept>

using namespace kindred;

TEST_CASE("lengths are Euclidean, of very long and very short rows too") {
  const auto rows = torch::tensor({{3.0F, 4.0F}, {3e30F, 4e30F}, {3e-30F, -4e-30F}, {0.0F, 0.0F}});
  const auto lengths = row_lengths(rows);
  REQUIRE((lengths.scalar_type() == torch::kDouble));
  CHECK(lengths[0].item<double>() == doctest::Approx(5));
  CHECK(lengths[1].item<double>() == doctest::Approx(5e30));
  CHECK(lengths[2].item<double>() / 5e-30 == doctest::Approx(1));
  CHECK(lengths[3].item<double>() == 0);
}

TEST_CASE("scaling keeps directions and leaves a row of length 0") {
  const auto rows = torch::tensor({{3.0F, 4.0F}, {3e30F, -4e30F}, {3e-30F, 4e-30F}, {0.0F, 0.0F}});
  scale_to_unit_length(rows);
  CHECK(torch::allclose(rows, torch::tensor({{0.6F, 0.8F}, {0.6F, -0.8F}, {0.6F, 0.8F}, {0.0F, 0.0F}})));
}

TEST_CASE("other memory than plain rows is refused") {
  CHECK_THROWS_AS(static_cast<void>(row_lengths(torch::ones({2, 3}, torch::kDouble))), std::logic_error);
  CHECK_THROWS_AS(scale_to_unit_length(torch::ones({3, 2}).t()), std::logic_error);
}
