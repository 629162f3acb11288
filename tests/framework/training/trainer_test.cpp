#include "training/trainer.h"

#include <doctest/doctest.h>
#include <torch/utils.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/recompute.h"
#include "system/precision.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

using Tensors = std::map<std::string, torch::Tensor>;

/// A step is the gradient times the learning rate, and nothing else.
const char* const plain_descent = R"(
[[optimizer.group]]
name = "none"
parameters = ["*"]
)";

recipe::Plan plan_of(const std::string& groups, const std::vector<std::string>& overrides = {}) {
  static const Catalog catalog = tiny_catalog();
  std::vector<std::string> all{"optimizer.momentum=0", "optimizer.weight_decay=0"};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return recipe::make_plan(recipe::parse_recipe(tiny_recipe + groups, "tiny.toml", all), catalog);
}

/// A trainer of 5 identities that learns from the same batch again and again.
struct Learning {
  explicit Learning(const recipe::Plan& plan) : trainer(plan, model::build_model(plan, 5), torch::kCPU) {}

  void step(std::int64_t epoch = 1) {
    const auto images = torch::linspace(0, 1, 20 * 3 * 16 * 8).sin().reshape({20, 3, 16, 8});
    trainer.start_epoch(epoch);
    trainer.step(images, torch::arange(20) % 5, epoch, 0, 1);
  }
  [[nodiscard]] Tensors tensors() {
    Tensors tensors;
    for (const auto& [name, tensor] : trainer.state().tensors) tensors[name] = tensor.detach().clone();
    return tensors;
  }
  Trainer trainer;
};

/// What the first step changes.
Tensors change(const recipe::Plan& plan) {
  Learning learning(plan);
  const auto before = learning.tensors();
  learning.step();
  auto after = learning.tensors();
  for (const auto& [name, tensor] : before) {
    if (tensor.scalar_type() == torch::kFloat32) after[name] = after[name] - tensor;
  }
  return after;
}

void check_close(const torch::Tensor& found, const torch::Tensor& expected) {
  // Changes are differences of 32-bit numbers around 1.
  CHECK(torch::allclose(found, expected, 1e-3, 1e-6));
}

double norm_of_shared(const Tensors& tensors) {
  double squares = 0;
  for (const auto& [name, tensor] : tensors) {
    const bool shared = name.rfind("model.", 0) == 0 || name == "loss.2.length";
    if (shared && name.find("running_") == std::string::npos && tensor.scalar_type() == torch::kFloat32)
      squares += tensor.pow(2).sum().item<double>();
  }
  return std::sqrt(squares);
}

}  // namespace

TEST_CASE("a group's learning rate and that of its biases are multiplied by its factors") {
  const auto plain = change(plan_of(""));
  const auto grouped = change(plan_of(R"(
[[optimizer.group]]
name = "new"
parameters = ["head.classifier*", "loss.scale*"]
learning_rate_factor = 10
bias_factor = 2
[[optimizer.group]]
name = "slow"
parameters = ["backbone.second*"]
learning_rate_factor = 0.5
)"));
  const std::map<std::string, double> factors{{"model.head.classifier.weight", 10},
                                              {"model.head.classifier.bias", 20},
                                              {"loss.2.length", 10},
                                              {"model.backbone.second.weight", 0.5},
                                              {"model.backbone.second.bias", 0.5},
                                              {"model.backbone.first.weight", 1},
                                              {"model.backbone.norm.bias", 1},
                                              {"loss.1.centers", 1}};
  for (const auto& entry : factors) {
    const auto& [name, factor] = entry;
    INFO(entry.first);
    CHECK(plain.at(name).abs().max().item<float>() > 0);
    check_close(grouped.at(name), factor * plain.at(name));
  }
}

TEST_CASE("one group of everything is the same to the last bit as no group") {
  const auto plain = change(plan_of(""));
  const auto grouped = change(plan_of(plain_descent));
  for (const auto& entry : plain) {
    if (entry.first.rfind("optimizer.", 0) == 0) continue;
    CHECK_MESSAGE(torch::equal(grouped.at(entry.first), entry.second), entry.first);
  }
}

TEST_CASE("a group's weight decay is multiplied by its factor") {
  const std::vector<std::string> decay{"optimizer.weight_decay=0.5"};
  const auto none = change(plan_of(""));
  const auto decayed = change(plan_of(R"(
[[optimizer.group]]
name = "no decay"
parameters = ["*.bias", "*norm*"]
weight_decay_factor = 0
[[optimizer.group]]
name = "more"
parameters = ["head*"]
weight_decay_factor = 3
)",
                                      decay));
  Learning start(plan_of(""));
  const auto weights = start.tensors();
  // SGD: the step is -learning rate x (gradient + decay x weight)
  const auto expected = [&](const std::string& name, double factor) {
    return none.at(name) - 0.01 * 0.5 * factor * weights.at(name);
  };
  CHECK(torch::equal(decayed.at("model.backbone.norm.weight"), none.at("model.backbone.norm.weight")));
  CHECK(torch::equal(decayed.at("model.head.classifier.bias"), none.at("model.head.classifier.bias")));
  check_close(decayed.at("model.head.classifier.weight"), expected("model.head.classifier.weight", 3));
  check_close(decayed.at("model.backbone.first.weight"), expected("model.backbone.first.weight", 1));
  CHECK_FALSE(torch::allclose(none.at("model.backbone.first.weight"),
                              expected("model.backbone.first.weight", 1), 1e-3, 1e-6));
}

TEST_CASE("layer_decay and weight_decay_on_vectors reach the optimizer") {
  const auto none = change(plan_of(""));
  const auto grouped = change(plan_of(R"(
[[optimizer.group]]
name = "backbone"
parameters = ["backbone*"]
layer_decay = 0.5
weight_decay_on_vectors = false
)",
                                      {"optimizer.weight_decay=0.5"}));
  Learning start(plan_of(""));
  const auto weights = start.tensors();
  // The tiny backbone is one block.
  for (const std::string name : {"backbone.first.weight", "backbone.second.weight"}) {
    INFO(name);
    check_close(grouped.at("model." + name),
                0.5 * (none.at("model." + name) - 0.01 * 0.5 * weights.at("model." + name)));
  }
  for (const std::string name : {"backbone.norm.weight", "backbone.norm.bias", "backbone.second.bias"}) {
    INFO(name);
    check_close(grouped.at("model." + name), 0.5 * none.at("model." + name));
  }
}

TEST_CASE("frozen parameters and the statistics of frozen normalizations stay, until their epochs are over") {
  Learning learning(plan_of(R"(
[[optimizer.group]]
name = "backbone"
parameters = ["backbone*"]
frozen_epochs = 2
)",
                            {"optimizer.momentum=0.9", "optimizer.weight_decay=0.1"}));
  const auto start = learning.tensors();
  learning.step(1);
  // An evaluation in between puts the whole model into training mode afterwards.
  learning.trainer.model().eval();
  learning.trainer.model().train();
  learning.step(2);
  const auto resolved = learning.tensors();
  const std::vector<std::string> backbone{
      "model.backbone.first.weight",     "model.backbone.norm.weight",
      "model.backbone.norm.bias",        "model.backbone.norm.running_mean",
      "model.backbone.norm.running_var", "model.backbone.norm.num_batches_tracked",
      "model.backbone.second.weight"};
  for (const auto& name : backbone) CHECK_MESSAGE(torch::equal(resolved.at(name), start.at(name)), name);
  CHECK_FALSE(
      torch::equal(resolved.at("model.head.classifier.weight"), start.at("model.head.classifier.weight")));
  learning.step(3);
  const auto free = learning.tensors();
  for (const auto& name : backbone) CHECK_MESSAGE(!torch::equal(free.at(name), start.at(name)), name);
}

TEST_CASE("a normalization that is frozen in part goes on with its statistics") {
  Learning learning(plan_of(R"(
[[optimizer.group]]
name = "part"
parameters = ["backbone.norm.weight", "backbone.first*"]
frozen_epochs = 1
)"));
  const auto start = learning.tensors();
  learning.step();
  const auto after = learning.tensors();
  CHECK(torch::equal(after.at("model.backbone.norm.weight"), start.at("model.backbone.norm.weight")));
  CHECK_FALSE(torch::equal(after.at("model.backbone.norm.bias"), start.at("model.backbone.norm.bias")));
  CHECK_FALSE(torch::equal(after.at("model.backbone.norm.running_mean"),
                           start.at("model.backbone.norm.running_mean")));
}

TEST_CASE("an epoch in which the losses depend on nothing that learns is an error") {
  Learning learning(plan_of(R"(
[[optimizer.group]]
name = "reached"
parameters = ["backbone*", "loss*"]
frozen_epochs = 1
)",
                            {"loss.entropy.enabled=false", "loss.centers.enabled=false"}));
  CHECK(message_of<Error>([&] { learning.step(); }) ==
        "nothing can be trained in epoch 1: all parameters that the losses depend on are frozen; lower "
        "frozen_epochs of a group");
  learning.step(2);
}

TEST_CASE("a clipped first step is as long as the limit, and in the direction of the gradient") {
  const auto plain = change(plan_of(""));
  const double norm = norm_of_shared(plain) / 0.01;
  REQUIRE(norm > 0.1);
  const auto clipped = change(plan_of("", {"train.clip_gradient_norm=0.05"}));
  CHECK(norm_of_shared(clipped) == doctest::Approx(0.01 * 0.05).epsilon(1e-3));
  const double factor = 0.05 / norm;
  check_close(clipped.at("model.head.classifier.weight"), factor * plain.at("model.head.classifier.weight"));
  // A loss's own optimizer is left alone.
  CHECK(torch::equal(clipped.at("loss.1.centers"), plain.at("loss.1.centers")));
  const auto loose = change(plan_of("", {"train.clip_gradient_norm=" + std::to_string(10 * norm)}));
  CHECK(torch::equal(loose.at("model.head.classifier.weight"), plain.at("model.head.classifier.weight")));

  Learning learning(plan_of("", {"train.clip_gradient_norm=0.05"}));
  learning.step();
  CHECK(learning.trainer.meter().means().at("gradient_norm") == doctest::Approx(norm).epsilon(1e-3));
}

TEST_CASE("a gradient that is not finite, though the loss is, stops training before harm is done") {
  // The norm has no 32-bit number; neither the loss nor one element is as large.
  Learning learning(plan_of("", {"train.clip_gradient_norm=1", "loss.scale.weight=1e25"}));
  const auto start = learning.tensors();
  const auto message = message_of<Error>([&] { learning.step(); });
  CHECK(message ==
        "training: error: the gradient is no longer finite in epoch 1, batch 1 and cannot be clipped, "
        "although the loss is "
        "finite. Lower the learning rate, which was 0.01, or warm up longer; check the parameters and "
        "weights of the losses. The last checkpoint is unchanged");
  for (const auto& parameter : learning.trainer.model().named_parameters())
    CHECK(torch::equal(parameter.value(), start.at("model." + parameter.key())));
}

TEST_CASE("averaged weights follow the steps, statistics too, and are in the state") {
  Learning learning(plan_of("", {"train.ema_decay=0.9"}));
  const auto start = learning.tensors();
  CHECK(torch::equal(start.at("average.backbone.first.weight"), start.at("model.backbone.first.weight")));
  learning.step();
  const auto after = learning.tensors();
  for (const std::string name :
       {"backbone.first.weight", "head.classifier.bias", "backbone.norm.running_var"}) {
    CAPTURE(name);
    // The first step's decay is 1/10.
    check_close(after.at("average." + name),
                0.1 * start.at("model." + name) + 0.9 * after.at("model." + name));
  }
  CHECK(after.at("average.backbone.norm.num_batches_tracked").item<std::int64_t>() == 1);
  CHECK(after.at("average_steps").item<std::int64_t>() == 1);
  {
    const auto averaged = learning.trainer.averaged_weights();
    REQUIRE(averaged != nullptr);
    CHECK(torch::equal(learning.trainer.model().named_parameters()["backbone.first.weight"],
                       after.at("average.backbone.first.weight")));
  }
  CHECK(torch::equal(learning.trainer.model().named_parameters()["backbone.first.weight"],
                     after.at("model.backbone.first.weight")));
  Learning without(plan_of(""));
  CHECK(without.trainer.averaged_weights() == nullptr);
  CHECK(without.tensors().count("average_steps") == 0);
}

TEST_CASE("a state with numbers that no training has is refused by the name of its file") {
  const auto plan = plan_of("", {"train.ema_decay=0.9"});
  Learning learning(plan);
  learning.step();
  const auto state = learning.trainer.state();
  const auto message_with = [&](const std::string& name, const torch::Tensor& tensor) {
    auto damaged = state;
    for (auto& entry : damaged.tensors) {
      if (entry.first == name) entry.second = tensor;
    }
    Learning other(plan);
    return message_of<DataError>([&] { other.trainer.restore(damaged, "there.safetensors"); });
  };
  CHECK(message_with("average_steps", torch::tensor({1}, torch::kInt64)).empty());
  const std::string start = "there.safetensors: error: is not a checkpoint of this training: its ";
  for (const auto& steps : {torch::tensor({1, 2}, torch::kInt64), torch::tensor({-10}, torch::kInt64),
                            torch::tensor({1.0F}), torch::empty({0}, torch::kInt64)}) {
    CHECK(message_with("average_steps", steps) == start + "'average_steps' is not a number of steps");
  }
  auto meter = learning.trainer.meter().state();
  meter[-1] = 1e300;
  CHECK(message_with("meter", meter) == start + "'meter' is damaged, or belongs to other losses");
  CHECK(message_with("optimizer.0", torch::ones(100, torch::kUInt8))
            .find("there.safetensors: error: is not a checkpoint of this training: ") == 0);
}

TEST_CASE("bf16 computes about the same, with weights, losses and statistics in fp32") {
  if (!system::can_compute(torch::kCPU, system::Precision::bf16)) {
    MESSAGE("left out: this processor cannot compute convolutions in bf16");
    return;
  }
  Learning exact(plan_of(""));
  Learning mixed(plan_of("", {"train.precision=bf16"}));
  exact.step();
  mixed.step();
  const double loss = exact.trainer.meter().means().at("loss");
  const double mixed_loss = mixed.trainer.meter().means().at("loss");
  CHECK(mixed_loss != loss);
  CHECK(mixed_loss == doctest::Approx(loss).epsilon(0.02));
  for (const auto& entry : mixed.tensors()) {
    const auto& name = entry.first;
    const bool counts =
        name.find("num_batches") != std::string::npos || name.find("steps") != std::string::npos;
    if (counts || (name.rfind("model.", 0) != 0 && name.rfind("loss.", 0) != 0)) continue;
    const bool single = entry.second.scalar_type() == torch::kFloat32;
    CHECK_MESSAGE(single, name);
  }
  CHECK(!mixed.trainer.loss_scale());
}

TEST_CASE("a precision must have been decided on") {
  Learning learning(plan_of("", {"train.precision=auto"}));
  CHECK_THROWS_AS(learning.step(), std::logic_error);
}

namespace {

/// The smallest loss that needs pairs; its figures are the number of its calls, from the second on.
class CountingPairs : public OutputLoss {
 public:
  struct Params {
    bool hungry = false;
    std::vector<std::string> figures = {"calls"};
  };
  static Schema<Params> schema() {
    Schema<Params> s("Mean square.");
    s.add("hungry", &Params::hungry, "wants more memory than there is");
    s.add("figures", &Params::figures, "their names");
    return s;
  }
  CountingPairs(const Params& params, const Context&) : hungry_(params.hungry), figures_(params.figures) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] bool needs_pairs() const override { return true; }
  [[nodiscard]] std::vector<std::string> figures() const override { return figures_; }
  [[nodiscard]] torch::Tensor figure_values() const override {
    return torch::full({static_cast<std::int64_t>(figures_.size())},
                       calls_ > 1 ? static_cast<float>(calls_) : NAN);
  }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    ++calls_;
    if (hungry_) static_cast<void>(torch::empty({std::int64_t{1} << 60}));
    return output.square().mean();
  }

 private:
  bool hungry_;
  std::vector<std::string> figures_;
  int calls_ = 0;
};

/// Has a graph whatever its output has.
class RecomputedSquare : public OutputLoss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Mean square, computed again for its gradient."); }
  RecomputedSquare(const Params&, const Context&) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    return recomputed([](const torch::Tensor& values) { return values.square().mean(); }, output);
  }
};

recipe::Plan plan_with(const std::string& tables, const std::vector<std::string>& overrides = {}) {
  static const Catalog catalog = [] {
    Catalog whole = tiny_catalog();
    Catalog more;
    more.add<CountingPairs>("pairs");
    more.add<RecomputedSquare>("recomputed");
    whole.merge(std::move(more), "more", "more.so");
    return whole;
  }();
  return recipe::make_plan(recipe::parse_recipe(tiny_recipe + tables, "tiny.toml", overrides), catalog);
}

recipe::Plan plan_with_pairs(const std::vector<std::string>& overrides = {}) {
  return plan_with("[[loss]]\ntype = \"pairs\"\non = [\"descriptor\"]\n", overrides);
}

}  // namespace

TEST_CASE("an epoch in which nothing learns is an error even where the losses have a graph") {
  Learning learning(
      plan_with(R"(
[[loss]]
type = "recomputed"
on = ["descriptor"]
[[optimizer.group]]
name = "reached"
parameters = ["backbone*"]
frozen_epochs = 1
)",
                {"loss.entropy.enabled=false", "loss.centers.enabled=false", "loss.scale.enabled=false"}));
  CHECK(message_of<Error>([&] { learning.step(); }) ==
        "nothing can be trained in epoch 1: all parameters that the losses depend on are frozen; lower "
        "frozen_epochs of a group");
  learning.step(2);
}

TEST_CASE("figures of losses and the share of anchors with pairs are averaged with the losses") {
  Learning learning(plan_with_pairs());
  learning.step();
  auto means = learning.trainer.meter().means();
  CHECK(means.count("calls") == 0);
  CHECK(means.at("anchors_with_pairs") == 1);
  learning.step();
  means = learning.trainer.meter().means();
  CHECK(means.at("calls") == 2);
  CHECK(means.at("loss/pairs(descriptor)") > 0);
}

TEST_CASE("a figure of a loss does not take the place of another figure") {
  const auto said = [](const std::string& figures) {
    return message_of<recipe::ComponentFault>(
        [&] { const Learning learning(plan_with_pairs({"loss.pairs.figures=" + figures})); });
  };
  CHECK(said("['calls', 'loss_of_pairs']").empty());
  for (const std::string name :
       {"loss", "gradient_norm", "learning_rate", "loss_scale", "anchors_with_pairs"}) {
    CAPTURE(name);
    CHECK(said("['calls', '" + name + "']") ==
          "error: loss 'pairs' of plugin 'more' gave a figure the name '" + name +
              "', which another figure of the training has; choose another name");
  }
  CHECK(said("['calls', 'calls']").find("gave a figure the name 'calls'") != std::string::npos);
}

TEST_CASE("when memory does not suffice, on the CPU too, the size of batch and images is said") {
  Learning learning(plan_with_pairs({"loss.pairs.hungry=true"}));
  const auto message = message_of<Error>([&] { learning.step(); });
  CAPTURE(message);
  CHECK(message.find(
            "does not have enough memory for a batch of 20 images of 16 x 8 pixels; use smaller batches "
            "or images, a smaller model, or a larger train.accumulate") != std::string::npos);
}

TEST_CASE("outputs that are the same for all images are found") {
  Learning learning(plan_of(""));
  learning.step();
  CHECK(learning.trainer.collapsed_outputs().empty());
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : learning.trainer.model().named_parameters()) {
      if (parameter.key() == "backbone.second.weight") parameter.value().zero_();
    }
  }
  learning.step();
  CHECK(learning.trainer.collapsed_outputs() == std::vector<std::string>{"descriptor"});
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : learning.trainer.model().named_parameters()) {
      if (parameter.key().starts_with("backbone.second.")) parameter.value().zero_();
    }
  }
  learning.step();
  CHECK(learning.trainer.collapsed_outputs() == std::vector<std::string>{"descriptor"});
}
