#include "distillation.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "model/model_file.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "training/trainer.h"

using namespace kindred;
using namespace kindred::distillation;

namespace {

Distillation loss_of(Compare compare, std::int64_t own = 2, std::int64_t teacher = 2) {
  Loss::Context context{own, 3};
  context.outputs = {{"descriptor", OutputKind::feature, own},
                     {"big.descriptor", OutputKind::feature, teacher}};
  return Distillation({compare}, context);
}

double value(Distillation&& loss, const torch::Tensor& own, const torch::Tensor& teacher) {
  return loss.compute({{own, teacher}, torch::zeros({own.size(0)}, torch::kInt64), {}}).item<double>();
}

}  // namespace

TEST_CASE("distances are compared pair by pair, relative to their mean, whatever the dims") {
  const auto own = torch::tensor({{0.0, 0.0}, {3.0, 4.0}, {6.0, 8.0}, {0.0, 1.0}}).to(torch::kFloat32);
  const auto teacher =
      torch::tensor({{1.0, 0.0, 0.0}, {0.0, 2.0, 0.0}, {0.0, 0.0, 5.0}, {1.0, 1.0, 1.0}}).to(torch::kFloat32);
  // By NumPy, from the definition.
  CHECK(value(loss_of(Compare::distances, 2, 3), own, teacher) ==
        doctest::Approx(0.07145268115903093).epsilon(1e-5));
  // Neither output's scale counts, nor where it lies.
  CHECK(value(loss_of(Compare::distances, 2, 3), 100 * own + 7, 0.1 * teacher) ==
        doctest::Approx(0.07145268115903093).epsilon(1e-4));
}

TEST_CASE("large differences count by their size, not their square") {
  auto own = torch::zeros({6, 2});
  own[5][0] = 100;
  // Of 30 pairs ten are 3 means apart instead of one, and twenty 0: (10 * 1.5 + 20 * 0.5) / 30.
  CHECK(value(loss_of(Compare::distances, 2, 6), own, torch::eye(6)) ==
        doctest::Approx(25.0 / 30).epsilon(1e-5));
}

TEST_CASE("the cosine is that of each image's two vectors") {
  const auto own = torch::tensor({{2.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}}).to(torch::kFloat32);
  const auto teacher = torch::tensor({{5.0, 0.0}, {0.0, -3.0}, {1.0, 0.0}}).to(torch::kFloat32);
  CHECK(value(loss_of(Compare::cosine), own, teacher) ==
        doctest::Approx(1 - (1.0 - 1.0 + std::sqrt(0.5)) / 3).epsilon(1e-6));
}

TEST_CASE("only the first output gets a gradient, and it follows the second to where the loss is 0") {
  for (const auto compare : {Compare::distances, Compare::cosine}) {
    torch::manual_seed(5);
    auto own = torch::randn({8, 4}).requires_grad_();
    const auto teacher = torch::randn({8, 4}).requires_grad_();
    auto loss = loss_of(compare, 4, 4);
    torch::optim::Adam optimizer({own}, torch::optim::AdamOptions(0.05));
    double first = 0;
    double last = 0;
    for (int step = 0; step < 300; ++step) {
      optimizer.zero_grad();
      const auto now = loss.compute({{own, teacher}, torch::zeros({8}, torch::kInt64), {}});
      now.backward();
      optimizer.step();
      last = now.item<double>();
      if (step == 0) first = last;
    }
    CHECK(first > 0.01);
    CHECK(last < 0.02 * first);
    CHECK_FALSE(teacher.grad().defined());
  }
}

TEST_CASE("images that are all the same give a number and a finite gradient") {
  const auto check = [](const torch::Tensor& same, const torch::Tensor& teacher) {
    auto own = same.clone().requires_grad_();
    const auto loss =
        loss_of(Compare::distances, 3, 3).compute({{own, teacher}, torch::zeros({4}, torch::kInt64), {}});
    loss.backward();
    CHECK(torch::isfinite(loss).item<bool>());
    CHECK(torch::isfinite(own.grad()).all().item<bool>());
  };
  check(torch::ones({4, 3}), torch::randn({4, 3}));
  check(torch::randn({4, 3}), torch::ones({4, 3}));
}

TEST_CASE("the cosine of vectors of different dims is refused with what to do") {
  CHECK_NOTHROW(loss_of(Compare::distances, 2, 3));
  std::string message;
  try {
    static_cast<void>(loss_of(Compare::cosine, 2, 3));
  } catch (const ComponentError& error) {
    message = error.what();
  }
  CHECK(
      message ==
      "loss/distillation: error: compare = \"cosine\" needs outputs of equal dim, but 'descriptor' has 2 and "
      "'big.descriptor' has 3; use compare = \"distances\"");
}

TEST_CASE("a student learns the distances of its teacher from images alone") {
  const test::TemporaryFolder folder;
  const auto file = (folder / "teacher.safetensors").string();
  auto catalog = test::tiny_catalog();
  Catalog own;
  own.add<Distillation>("distillation");
  catalog.merge(std::move(own), "distillation", "distillation.so");
  const auto plan_of = [&](const std::string& more, std::vector<std::string> overrides) {
    return recipe::make_plan(recipe::parse_recipe(test::tiny_recipe + more, "tiny.toml", overrides), catalog);
  };
  const auto teachers = plan_of("", {"seed=20"});
  const auto teacher = model::build_model(teachers, 5);
  model::write_model_file(file, *teacher, teachers);

  // The labels' losses are as good as gone.
  const auto plan = plan_of("[[teacher]]\nname = 'large'\nweights = '" + file +
                                "'\n[[loss]]\ntype = 'distillation'\n"
                                "on = ['descriptor', 'large.descriptor']\n",
                            {"loss.entropy.weight=1e-9", "loss.centers.weight=1e-9", "loss.scale.weight=1e-9",
                             "optimizer={type='adam', weight_decay=0}"});
  training::Trainer trainer(plan, model::build_model(plan, 5), torch::kCPU);
  trainer.start_epoch(1);
  const auto follow = [&](std::int64_t first, std::int64_t end) {
    trainer.meter().clear();
    for (auto step = first; step < end; ++step) {
      torch::manual_seed(static_cast<std::uint64_t>(step % 4));
      // People in clothes of one color each, more or less.
      const auto images = torch::rand({8, 3, 1, 1}) + 0.2 * torch::rand({8, 3, 16, 8});
      trainer.step(images, torch::zeros({8}, torch::kInt64), 1, step, 1);
    }
    return trainer.meter().means().at("loss/distillation(descriptor,large.descriptor)");
  };
  const double before = follow(0, 4);
  follow(4, 100);
  CHECK(follow(100, 104) < 0.5 * before);
}
