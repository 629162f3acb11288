#include "model/population.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/error.h"

using namespace kindred;
using namespace kindred::model;  // NOLINT

namespace {

Sample seen_by(const std::string& path, std::int64_t camera, std::int64_t view = unknown_view) {
  Sample sample;
  sample.path = path;
  sample.identity = 1;
  sample.camera = camera;
  sample.view = view;
  return sample;
}

}  // namespace

TEST_CASE("cameras are numbered by their place among those of the training") {
  const auto population =
      population_of({seen_by("a", 6), seen_by("b", 2, 1), seen_by("c", unknown_camera)}, 7);
  CHECK(population.identities == 7);
  CHECK((population.cameras == std::vector<Camera>{2, 6}));
  CHECK(population.views == std::vector<std::int64_t>{1});

  const std::vector<Sample> others = {seen_by("d", 2, 0), seen_by("e", 6, 1), seen_by("f", 3)};
  const auto images = torch::rand({2, 3, 4, 4});
  const auto input = network_input(images, others, {1, 2}, population);
  CHECK(torch::equal(input.values, images));
  CHECK(torch::equal(input.cameras, torch::tensor({1, -1}, torch::kInt64)));
  CHECK(torch::equal(input.views, torch::tensor({0, -1}, torch::kInt64)));
}

TEST_CASE(
    "an image whose camera a network needs and does not know is refused, unless the network knows what to "
    "do") {
  auto population = population_of({seen_by("a", 6), seen_by("b", 2)}, 2);
  const std::vector<Sample> strange = {seen_by("query/1.png", 2), seen_by("query/2.png", 4),
                                       seen_by("query/3.png", unknown_camera)};
  SideInformation needed;
  CHECK_NOTHROW(require_known(needed, "backbone 'vit'", population, strange));
  needed.cameras = true;
  CHECK_THROWS_WITH_AS(
      require_known(needed, "backbone 'vit'", population, strange),
      "query/2.png: error: its camera 4 is none of those of the training (2, 6), nor that of 1 "
      "other image, but backbone 'vit' uses it; give the data set's cameras (a manifest has "
      "a column for them), or set the parameter of the backbone that says what unknown ones "
      "get (unknown_camera in those that come with Kindred)",
      DataError);
  CHECK_THROWS_WITH_AS(require_known(needed, "backbone 'vit'", population, {strange[2]}),
                       doctest::Contains("its camera is not known, but backbone 'vit' uses it;"), DataError);
  CHECK_NOTHROW(require_known(needed, "backbone 'vit'", population, {strange[0]}));
  needed.refuses_unknown = false;
  CHECK_NOTHROW(require_known(needed, "backbone 'vit'", population, strange));
}

TEST_CASE("camera 1 of one data set is not camera 1 of another, whose name heads the path") {
  auto population = population_of({seen_by("market/a", 6), seen_by("msmt/b", 1), seen_by("market/c", 1),
                                   seen_by("msmt/d", 3), seen_by("msmt/e", unknown_camera)},
                                  2, /*of_several=*/true);
  CHECK((population.cameras == std::vector<Camera>{{"market", 1}, {"market", 6}, {"msmt", 1}, {"msmt", 3}}));
  CHECK(population.cameras[3].text() == "msmt/3");
  const std::vector<Sample> others = {seen_by("msmt/x", 1),   seen_by("market/x", 1),
                                      seen_by("market/x", 3), seen_by("duke/x", 1),
                                      seen_by("x", 1),        seen_by("msmt/x", unknown_camera)};
  const auto places = [&] { return camera_places(others, {0, 1, 2, 3, 4, 5}, population); };
  CHECK(torch::equal(places(), torch::tensor({2, 0, -1, -1, -1, -1}, torch::kInt64)));
  // Images of one data set whose paths do not say so.
  population.dataset = "msmt";
  CHECK(torch::equal(places(), torch::tensor({2, 2, 3, 2, 2, -1}, torch::kInt64)));
  population.dataset = "";
  CHECK(torch::equal(places(), torch::full({6}, -1, torch::kInt64)));
}

TEST_CASE(
    "cameras of data sets that the training did not have are refused, with what to do where it may have") {
  auto population = population_of({seen_by("market/a", 1), seen_by("msmt/b", 1)}, 2, /*of_several=*/true);
  SideInformation needed;
  needed.cameras = true;
  const auto refusal = [&](const Sample& sample) {
    try {
      require_known(needed, "backbone 'vit'", population, {sample});
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal(seen_by("msmt/x", 1)).empty());
  CHECK(refusal(seen_by("duke/x", 1)) ==
        "duke/x: error: its camera 1 is none of those of the training (market/1, msmt/1), but backbone 'vit' "
        "uses it; give the data set's cameras (a manifest has a column for them), or set the parameter of "
        "the backbone that says what unknown ones get (unknown_camera in those that come with Kindred)");
  population.dataset = "";
  CHECK(refusal(seen_by("x", 1))
            .find("but backbone 'vit' uses it; say of which of these data sets they are "
                  "by leaving the others out of the model's recipe (--set "
                  "dataset.NAME.enabled=false), give") != std::string::npos);
  population.dataset = "msmt";
  CHECK(refusal(seen_by("x", 1)).empty());
}
