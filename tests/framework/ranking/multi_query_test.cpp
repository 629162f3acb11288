#include "ranking/multi_query.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/error.h"

using namespace kindred;
using namespace kindred::ranking;

namespace {

Sample person(const std::string& path, std::int64_t identity, std::int64_t camera) {
  Sample sample;
  sample.path = path;
  sample.identity = identity;
  sample.camera = camera;
  return sample;
}

}  // namespace

TEST_CASE("a merged query is the mean direction of its images, whatever their lengths") {
  const auto merged =
      merge_queries({torch::tensor({{10.0F, 0.0F}, {0.0F, 0.001F}}), {person("a", 1, 1), person("b", 1, 1)}});
  REQUIRE(merged.descriptors.sizes().vec() == std::vector<std::int64_t>{1, 2});
  CHECK(merged.descriptors[0][0].item<float>() == doctest::Approx(std::sqrt(0.5)));
  CHECK(merged.descriptors[0][1].item<float>() == doctest::Approx(std::sqrt(0.5)));
}

TEST_CASE("other persons and cameras stay apart, in the order and under the names of the first images") {
  const auto merged = merge_queries({torch::eye(6),
                                     {person("a", 1, 1), person("b", 2, 1), person("c", 1, 2),
                                      person("d", 2, 1), person("e", 1, 1), person("f", 1, 1)}});
  REQUIRE(merged.samples.size() == 3);
  CHECK(merged.samples[0].path == "a");
  CHECK(merged.samples[1].path == "b");
  CHECK(merged.samples[2].path == "c");
  CHECK(merged.samples[2].camera == 2);
  const auto third = static_cast<float>(std::sqrt(1.0 / 3));
  const auto half = static_cast<float>(std::sqrt(1.0 / 2));
  const auto expected = torch::tensor({{third, 0.0F, 0.0F, 0.0F, third, third},
                                       {0.0F, half, 0.0F, half, 0.0F, 0.0F},
                                       {0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F}});
  CHECK(torch::allclose(merged.descriptors, expected));
}

TEST_CASE("images of one person without a camera are merged, unlabeled and junk images never") {
  const auto merged = merge_queries(
      {torch::eye(6),
       {person("a", 3, unknown_camera), person("b", 3, unknown_camera), person("c", unlabeled_identity, 1),
        person("d", unlabeled_identity, 1), person("e", junk_identity, 1), person("f", junk_identity, 1)}});
  REQUIRE(merged.samples.size() == 5);
  CHECK(merged.samples[0].path == "a");
  CHECK(torch::equal(merged.descriptors.slice(0, 1), torch::eye(6).slice(0, 2)));
}

TEST_CASE("a person's images in other clothes are another query") {
  auto changed = person("b", 1, 1);
  changed.clothes = 1;
  auto first = person("a", 1, 1);
  first.clothes = 0;
  auto again = person("c", 1, 1);
  again.clothes = 0;
  const auto merged = merge_queries({torch::eye(3), {first, changed, again}});
  REQUIRE(merged.samples.size() == 2);
  CHECK(merged.samples[0].path == "a");
  CHECK(merged.samples[1].path == "b");
  CHECK(merged.samples[1].clothes == 1);
  const auto half = static_cast<float>(std::sqrt(0.5));
  CHECK(torch::allclose(merged.descriptors, torch::tensor({{half, 0.0F, half}, {0.0F, 1.0F, 0.0F}})));
}

TEST_CASE("queries that are all different stay what they are") {
  const auto rows = torch::nn::functional::normalize(torch::randn({4, 8}));
  const auto merged =
      merge_queries({rows, {person("a", 1, 1), person("b", 1, 2), person("c", 2, 1), person("d", 3, 1)}});
  CHECK(merged.samples.size() == 4);
  CHECK(torch::allclose(merged.descriptors, rows));
}

TEST_CASE("queries without a direction, alone or together, are refused by name") {
  CHECK_THROWS_WITH_AS(static_cast<void>(merge_queries({torch::zeros({1, 2}), {person("a", 1, 1)}}, "q.npy")),
                       doctest::Contains("q.npy: error: row 0 (from 0) has length 0"), DataError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(merge_queries(
          {torch::tensor({{1.0F, 2.0F}, {-1.0F, -2.0F}}), {person("a", 7, 1), person("b", 7, 1)}}, "q.npy")),
      doctest::Contains("the 2 queries of identity 7 and the camera of 'a' cancel each other out"),
      DataError);
}
