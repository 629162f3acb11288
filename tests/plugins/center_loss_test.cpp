#include "center_loss.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "file/safetensors.h"
#include "tensor_checks.h"
#include "tiny_components.h"
#include "training/trainer.h"

using kindred::Loss;
using kindred::center_loss::CenterLoss;
using kindred::test::labels_of;

namespace {

torch::Tensor centers_of(CenterLoss& loss) {
  return loss.named_parameters()["centers"];
}

// The definition, image by image, in double precision.
double brute_force(const torch::Tensor& vectors, const torch::Tensor& centers, const torch::Tensor& labels) {
  const auto x = vectors.detach().to(torch::kFloat64);
  const auto c = centers.detach().to(torch::kFloat64);
  double sum = 0;
  for (std::int64_t n = 0; n < x.size(0); ++n) {
    const auto label = labels[n].item<std::int64_t>();
    double squared = 0;
    for (std::int64_t i = 0; i < x.size(1); ++i) {
      const double difference = x[n][i].item<double>() - c[label][i].item<double>();
      squared += difference * difference;
    }
    sum += std::min(std::max(squared, 1e-12), 1e12);
  }
  return sum / static_cast<double>(x.size(0));
}

kindred::Catalog catalog_with_centers() {
  kindred::Catalog scratch;
  scratch.add<CenterLoss>("center");
  auto catalog = kindred::test::tiny_catalog();
  catalog.merge(std::move(scratch), "center_loss", "center_loss.so");
  return catalog;
}

// The tiny training, whose centers are the plugin's.
kindred::recipe::Plan plan_with_centers(const kindred::Catalog& catalog, double weight) {
  return kindred::test::tiny_plan(
      catalog, {"loss.entropy.weight=1e-9", "loss.scale.weight=1e-9",
                "loss.centers={type='center', on=['descriptor'], weight=" + std::to_string(weight) + "}"});
}

torch::Tensor tensor_of(const kindred::file::TensorFile& state, const std::string& ending) {
  for (const auto& [name, tensor] : state.tensors) {
    if (name.ends_with(ending)) return tensor.clone();
  }
  FAIL("no tensor " << ending);
  return {};
}

}  // namespace

TEST_CASE("the loss is the mean squared distance to the images' own centers") {
  torch::manual_seed(3);
  CenterLoss loss({}, {6, 5});
  const auto vectors = torch::randn({7, 6}) * 3;
  const auto labels = labels_of({4, 0, 0, 2, 4, 4, 1});
  CHECK(loss.forward(vectors, labels).item<double>() ==
        doctest::Approx(brute_force(vectors, centers_of(loss), labels)).epsilon(1e-5));
}

TEST_CASE("the loss and both gradients are worked out by hand") {
  CenterLoss loss({}, {2, 3});
  {
    const torch::NoGradGuard no_grad;
    centers_of(loss).copy_(torch::tensor({{1.0, 0.0}, {9.0, 9.0}, {0.0, -1.0}}));
  }
  auto vectors = torch::tensor({{2.0, 1.0}, {1.0, 3.0}, {0.0, 0.0}, {0.0, 1.0}}).requires_grad_();
  const auto value = loss.forward(vectors, labels_of({0, 0, 2, 2}));
  value.backward();
  // Squared distances 2, 9, 1 and 4.
  CHECK(value.item<double>() == doctest::Approx(4.0));
  // 2 (x - c) / 4 for each image, and less the sum of that for each center.
  CHECK(torch::allclose(vectors.grad(), torch::tensor({{0.5, 0.5}, {0.0, 1.5}, {0.0, 0.5}, {0.0, 1.0}})));
  CHECK(torch::allclose(centers_of(loss).grad().to_dense(),
                        torch::tensor({{-0.5, -2.0}, {0.0, 0.0}, {0.0, -1.5}})));
}

TEST_CASE("the centers' gradient holds the rows of the batch alone") {
  CenterLoss loss({}, {8, 1000});
  loss.forward(torch::randn({4, 8}), labels_of({999, 5, 5, 0})).backward();
  const auto gradient = centers_of(loss).grad();
  REQUIRE(gradient.is_sparse());
  CHECK(gradient._nnz() == 4);
  CHECK(gradient._values().sizes().vec() == std::vector<std::int64_t>{4, 8});
}

TEST_CASE("a step of the own optimizer moves a center towards its images and leaves the others") {
  CenterLoss loss({.center_learning_rate = 0.25}, {2, 3});
  const auto before = centers_of(loss).detach().clone();
  const auto vectors = torch::randn({3, 2});
  const auto labels = labels_of({1, 1, 0});
  const auto optimizer = loss.own_optimizer();
  REQUIRE(optimizer != nullptr);
  for (int step = 0; step < 3; ++step) {
    optimizer->zero_grad();
    loss.forward(vectors, labels).backward();
    optimizer->step();
  }
  auto expected = before.clone();
  for (int step = 0; step < 3; ++step) {
    auto gradient = torch::zeros({3, 2});
    for (std::int64_t n = 0; n < 3; ++n) {
      const auto label = labels[n].item<std::int64_t>();
      gradient[label] += 2.0 / 3 * (expected[label] - vectors[n]);
    }
    expected -= 0.25 * gradient;
  }
  const auto after = centers_of(loss).detach();
  CHECK(torch::allclose(after, expected, 1e-5, 1e-6));
  CHECK(torch::equal(after[2], before[2]));
  CHECK_FALSE(torch::equal(after[1], before[1]));
}

TEST_CASE("training moves the centers by their own learning rate, whatever the loss's weight") {
  const auto catalog = catalog_with_centers();
  const auto images = torch::rand({4, 3, 16, 8});
  const auto labels = labels_of({0, 0, 3, 1});
  std::vector<torch::Tensor> moved;
  for (const double weight : {1.0, 0.0005}) {
    const auto plan = plan_with_centers(catalog, weight);
    kindred::training::Trainer trainer(plan, kindred::model::build_model(plan, 5), torch::kCPU);
    trainer.start_epoch(1);
    const auto before = tensor_of(trainer.state(), ".centers");
    trainer.step(images, labels, 1, 0, 0.0);
    moved.push_back(tensor_of(trainer.state(), ".centers") - before);
    CHECK(moved.back()[2].eq(0).all().item<bool>());
    CHECK(moved.back()[4].eq(0).all().item<bool>());
    CHECK(moved.back()[0].abs().sum().item<double>() > 0.1);
  }
  CHECK(torch::allclose(moved[0], moved[1], 1e-4, 1e-6));
}

TEST_CASE("training that goes through a checkpoint ends with the same centers") {
  const auto catalog = catalog_with_centers();
  const auto plan = plan_with_centers(catalog, 0.01);
  const auto run = [&](bool through_state) {
    auto trainer =
        std::make_unique<kindred::training::Trainer>(plan, kindred::model::build_model(plan, 5), torch::kCPU);
    trainer->start_epoch(1);
    for (std::int64_t step = 0; step < 4; ++step) {
      if (through_state && step == 2) {
        auto state = trainer->state();
        for (auto& entry : state.tensors) entry.second = entry.second.clone();
        trainer = std::make_unique<kindred::training::Trainer>(plan, kindred::model::build_model(plan, 5),
                                                               torch::kCPU);
        trainer->restore(state, "checkpoint");
        trainer->start_epoch(1);
      }
      const auto images = torch::full({4, 3, 16, 8}, 0.1 * static_cast<double>(step + 1));
      trainer->step(images, labels_of({0, 1, 1, 4}), 1, step, 1.0);
    }
    return tensor_of(trainer->state(), ".centers");
  };
  CHECK(torch::equal(run(false), run(true)));
}

TEST_CASE("centers are drawn from the standard normal distribution") {
  torch::manual_seed(8);
  CenterLoss loss({}, {100, 200});
  CHECK(centers_of(loss).sizes().vec() == std::vector<std::int64_t>{200, 100});
  CHECK(centers_of(loss).mean().item<double>() == doctest::Approx(0).epsilon(0.02));
  CHECK(centers_of(loss).std().item<double>() == doctest::Approx(1).epsilon(0.02));
}

TEST_CASE("distances are clamped, and then have no gradient") {
  CenterLoss loss({}, {1, 1});
  const auto check = [&](double distance, double expected) {
    auto vectors = (centers_of(loss).detach() + distance).requires_grad_();
    const auto value = loss.forward(vectors, labels_of({0}));
    value.backward();
    CHECK(value.item<double>() == doctest::Approx(expected).epsilon(1e-4));
    CHECK(vectors.grad().item<double>() == 0);
  };
  check(0, 1e-12);
  check(2e6, 1e12);
}

TEST_CASE("vectors that are not a number are not hidden") {
  CenterLoss loss({}, {3, 2});
  auto vectors = torch::randn({2, 3});
  vectors[1][2] = std::numeric_limits<float>::quiet_NaN();
  CHECK(loss.forward(vectors, labels_of({0, 1})).isnan().item<bool>());
}

TEST_CASE("one identity is enough, and the loss works on features") {
  torch::manual_seed(4);
  CenterLoss loss({}, {3, 1});
  CHECK((loss.takes() == std::vector{kindred::OutputKind::feature}));
  const auto vectors = torch::randn({2, 3});
  const auto labels = labels_of({0, 0});
  CHECK(loss.forward(vectors, labels).item<double>() ==
        doctest::Approx(brute_force(vectors, centers_of(loss), labels)).epsilon(1e-5));
}

TEST_CASE("a learning rate that would leave the centers where they are is refused") {
  kindred::Table table;
  table.set("center_learning_rate", kindred::Value(0.0));
  kindred::Diagnostics diagnostics;
  (void)CenterLoss::schema().parse(kindred::Value(table), "loss 'center'", diagnostics);
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].message == "loss 'center': center_learning_rate = 0.0 must be above 0");
}
