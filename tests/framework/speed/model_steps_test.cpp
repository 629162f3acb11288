#include "speed/model_steps.h"

#include <doctest/doctest.h>

#include "tiny_components.h"

using namespace kindred;
using namespace kindred::speed;
using namespace kindred::test;

namespace {

// TinyTrunk: 3 -> 8 of 3 x 3 with stride 2, then 8 -> 16 of 3 x 3, on 16 x 8 pixels: 7 x 3 and 5 x 1 places.
constexpr double tiny_first = 2.0 * (7 * 3) * 8 * 27;
constexpr double tiny_second = 2.0 * (5 * 1) * 16 * 72;
constexpr double tiny_classifier = 2.0 * 16 * 5;

}  // namespace

TEST_CASE("a step of extracting features does the network's work, and training that of a step") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog);
  const BatchShape shape{8, 16, 8};
  EmbedSteps embed(model::build_model(plan, 5), plan, shape, {torch::kCPU, system::Precision::fp32});
  CHECK(embed.work().flops() == 8 * (tiny_first + tiny_second));
  CHECK(embed.run(2) > 0);

  TrainSteps train(plan, model::build_model(plan, 5), shape, torch::kCPU);
  CHECK(train.work().flops() == 8 * (2 * tiny_first + 3 * tiny_second + 3 * tiny_classifier));
  CHECK(train.run(2) > 0);
}

TEST_CASE("a flip test describes each image twice") {
  const auto catalog = tiny_catalog();
  const auto plan = tiny_plan(catalog, {"embed.flip_test=true"});
  EmbedSteps embed(model::build_model(plan, 5), plan, {8, 16, 8}, {torch::kCPU, system::Precision::fp32});
  CHECK(embed.work().flops() == 2 * 8 * (tiny_first + tiny_second));
}

TEST_CASE("synthetic images are the same every time, with four images of each identity") {
  const auto population = model::any_population();
  const auto images = synthetic_batch({4, 6, 5}, population);
  CHECK(images.values.sizes() == torch::IntArrayRef({4, 3, 6, 5}));
  CHECK(torch::equal(images.values, synthetic_batch({4, 6, 5}, population).values));
  CHECK(torch::equal(images.cameras, torch::tensor({0, 1, 0, 1}, torch::kInt64)));
  CHECK(torch::equal(synthetic_labels(9, 5), torch::tensor({0, 0, 0, 0, 1, 1, 1, 1, 2}, torch::kInt64)));
  CHECK(torch::equal(synthetic_labels(4, 5), torch::tensor({0, 0, 1, 1}, torch::kInt64)));
  CHECK(torch::equal(synthetic_labels(2, 5), torch::tensor({0, 1}, torch::kInt64)));
  CHECK(torch::equal(synthetic_labels(12, 2),
                     torch::tensor({0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0}, torch::kInt64)));
}

TEST_CASE("images without a size of their own are an error that says what to add") {
  const auto catalog = tiny_catalog();
  CHECK_THROWS_WITH(static_cast<void>(batch_shape(tiny_plan(catalog), 4, true)),
                    doctest::Contains("add an augmentation 'resize'"));
}
