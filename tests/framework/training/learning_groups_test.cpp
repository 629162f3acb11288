#include "training/learning_groups.h"

#include <doctest/doctest.h>
#include <torch/utils.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/chain_backbone.h"
#include "kindred/nn/tensor_module.h"
#include "recipe/guarded.h"
#include "temporary_folder.h"
#include "tiny_components.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

using Names = std::vector<std::string>;

std::vector<LearningGroup> groups_of(const std::string& groups) {
  static const Catalog catalog = tiny_catalog();
  const auto plan = recipe::make_plan(recipe::parse_recipe(tiny_recipe + groups, "tiny.toml", {}), catalog);
  const auto model = model::build_model(plan, 5);
  const auto terms = model::build_losses(plan, model->outputs(), model->population());
  return learning_groups(plan.groups, *model, terms, own_optimizers(terms));
}

Names names_in(const LearningGroup& group) {
  Names names;
  for (const auto& parameter : group.parameters) names.push_back(parameter.name);
  return names;
}

std::string group(const std::string& name, const std::string& parameters, const std::string& more = "") {
  return "[[optimizer.group]]\nname = '" + name + "'\nparameters = " + parameters + "\n" + more;
}

/// What is said of one group, whose patterns stand in line 38.
std::string error_of(const std::string& groups) {
  return message_of<RecipeError>([&] { static_cast<void>(groups_of(groups)); });
}

}  // namespace

TEST_CASE(
    "without groups all parameters learn alike, those of losses too, but not what has its own optimizer") {
  const auto groups = groups_of("");
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].name == "all others");
  CHECK(groups[0].learning_rate_factor == 1);
  CHECK(names_in(groups[0]) == Names{"backbone.first.weight", "backbone.first.bias", "backbone.norm.weight",
                                     "backbone.norm.bias", "backbone.second.weight", "backbone.second.bias",
                                     "head.unused", "head.classifier.weight", "head.classifier.bias",
                                     "loss.scale(descriptor).length"});
}

TEST_CASE("each parameter goes to the first group that names it, and the others form the last") {
  const auto groups = groups_of(
      group("new", "['head.classifier*', 'loss.scale*']", "learning_rate_factor = 10\nbias_factor = 2\n") +
      group("plain", "['*.bias', 'backbone.norm*', '*norm.weight']",
            "weight_decay_factor = 0\nfrozen_epochs = 2\n"));
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].name == "new");
  CHECK(groups[0].learning_rate_factor == 10);
  CHECK(groups[0].bias_factor == 2);
  CHECK(names_in(groups[0]) ==
        Names{"head.classifier.weight", "head.classifier.bias", "loss.scale(descriptor).length"});
  // The third pattern names what the group has already: no harm.
  CHECK(names_in(groups[1]) ==
        Names{"backbone.first.bias", "backbone.norm.bias", "backbone.second.bias", "backbone.norm.weight"});
  CHECK(groups[1].weight_decay_factor == 0);
  CHECK(groups[1].frozen_epochs == 2);
  CHECK(names_in(groups[2]) == Names{"backbone.first.weight", "backbone.second.weight", "head.unused"});
  CHECK(groups_text(groups) ==
        "GROUP       TENSORS  PARAMETERS  LEARNING RATE  OF BIASES  WEIGHT DECAY  FROZEN\n"
        "new         3        86          x 10           x 20       x 1\n"
        "plain       4        40          x 1                       x 0           2 epochs\n"
        "all others  3        1,371       x 1                       x 1\n");
  CHECK(is_bias("head.classifier.bias"));
  CHECK_FALSE(is_bias("head.classifier.weight"));
}

TEST_CASE("a pattern that catches nothing is an error at its place, with the names that are near") {
  CHECK(error_of(group("new", "['head.clasifier*']")) ==
        "tiny.toml:38:15: error: group 'new': 'head.clasifier*' matches no parameter; "
        "did you mean 'head.classifier*'?");
  CHECK(error_of(group("new", "['backbone.first.weights']")) ==
        "tiny.toml:38:15: error: group 'new': 'backbone.first.weights' matches no parameter; did you mean "
        "'backbone.first.weight'?");
  CHECK(error_of(group("new", "['*.biass']")) ==
        "tiny.toml:38:15: error: group 'new': '*.biass' matches no parameter; did you "
        "mean '*bias'?");
  CHECK(error_of(group("new", "['head*', 'neck.*']")) ==
        "tiny.toml:38:24: error: group 'new': 'neck.*' matches no parameter; names "
        "begin with 'backbone.first', 'backbone.norm', 'backbone.second', 'head.unused', 'head.classifier' "
        "and 'loss.scale(descriptor)'");
}

TEST_CASE("a pattern all of whose parameters earlier groups have is an error that names these groups") {
  CHECK(
      error_of(group("one", "['head.unused']") + group("two", "['head*']") + group("three", "['head.*']")) ==
      "tiny.toml:44:15: error: group 'three': 'head.*' matches no parameter that is left: all 3 parameters "
      "that it matches belong to 'one' and 'two'; a parameter belongs to the first group that matches it, so "
      "place the more "
      "specific group first");
}

TEST_CASE("a bias_factor of a group without biases is refused") {
  CHECK(error_of(group("new", "['head.classifier.weight']", "bias_factor = 2\n")) ==
        "tiny.toml:36:1: error: group 'new': bias_factor has no effect: none of its parameters has a name "
        "that ends in 'bias'; remove it, or name parameters that do");
  CHECK(groups_of(group("new", "['head.classifier.weight']", "bias_factor = 1\n")).size() == 2);
}

TEST_CASE("parameters that another optimizer trains are in no group, and said to be") {
  CHECK(error_of(group("new", "['loss.centers*']")) ==
        "tiny.toml:38:15: error: group 'new': 'loss.centers*' matches only parameters that the loss trains "
        "with its own optimizer; set the learning rate in the parameters of the loss");
}

namespace {

/// Has two parameters, a third that is fixed, and a tensor beside them.
class SplitLoss : public OutputLoss {
 public:
  explicit SplitLoss(const std::string& trained) : trained_(trained) {
    register_parameter("one", torch::ones({1}));
    register_parameter("other", torch::ones({1}));
    register_parameter("fixed", torch::ones({1}), /*requires_grad=*/false);
  }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    return output.mean();
  }
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> own_optimizer() override {
    std::vector<torch::Tensor> parameters{named_parameters()["one"]};
    if (trained_ != "one") parameters.push_back(named_parameters()["other"]);
    if (trained_ == "more") parameters.push_back(torch::ones({1}, torch::requires_grad()));
    return std::make_unique<torch::optim::SGD>(parameters, torch::optim::SGDOptions(0.1));
  }

 private:
  std::string trained_;
};

}  // namespace

TEST_CASE("an optimizer of a loss's own has all parameters of the loss, and nothing else") {
  const auto said = [](const std::string& trained) {
    std::vector<model::LossTerm> terms;
    terms.push_back({"split(descriptor)",
                     {0},
                     1,
                     std::make_shared<SplitLoss>(trained),
                     "loss 'split'",
                     model::ComponentRandom(1, model::Part::loss)});
    return message_of<recipe::ComponentFault>([&] { static_cast<void>(own_optimizers(terms)); });
  };
  CHECK(said("all").empty());
  CHECK(said("one") ==
        "error: loss 'split' gave an optimizer of its own without its parameter 'other', which nothing would "
        "train; such an optimizer has all parameters of the loss that need a gradient");
  CHECK(said("more") ==
        "error: loss 'split' gave an optimizer of its own with a tensor that is no parameter of the loss, so "
        "that no checkpoint would hold it; register it as one");
}

TEST_CASE("groups that freeze everything in the first epoch are refused") {
  CHECK(error_of(group("all", "['*']", "frozen_epochs = 1\n")) ==
        "tiny.toml:36:1: error: all parameters are frozen in the first epoch, so nothing would be trained; "
        "set frozen_epochs = 0 in one of the groups");
}

namespace {

/// A convolution, or a normalization alone.
class Layer : public TensorModule {
 public:
  Layer(std::int64_t in, std::int64_t out) {
    if (in > 0) register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1)));
    if (in == 0) register_module("scale", torch::nn::BatchNorm2d(out));
  }
  torch::Tensor forward(const torch::Tensor& input) override { return input; }
};

/// "stem", whose tensors have no prefix, "layers.0", "layers.1" and, if it is to, "norm".
class LayeredBackbone : public ChainBackbone {
 public:
  struct Params {
    bool norm = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Layers.");
    s.add("norm", &Params::norm, "at the end");
    return s;
  }
  LayeredBackbone(const Params& params, const Context&) : norm_(params.norm) { assemble(1); }
  [[nodiscard]] std::int64_t channels() const override { return 4; }

 protected:
  [[nodiscard]] std::vector<BlockRecipe> block_recipes(std::int64_t) const override {
    const auto layer = [](std::int64_t in) { return [in] { return std::make_shared<Layer>(in, 4); }; };
    std::vector<BlockRecipe> recipes{{"stem", layer(3), BlockNames::top}, {"layers.0", layer(4)}};
    recipes.push_back({"layers.1", layer(4)});
    if (norm_) recipes.push_back({"norm", layer(0)});
    return recipes;
  }

 private:
  bool norm_;
};

/// Two branches, each with a copy of what comes after the first layer, and modules that are called as blocks
/// of the backbone are.
class BranchedHead : public Head {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Two branches."); }
  BranchedHead(const Params&, const Context& context) : trunk_(context.backbone.trunk("layers.0")) {
    register_module("branch0", context.backbone.copy_rest("layers.0", 1));
    register_module("branch1", context.backbone.copy_rest("layers.0", 1));
    register_module("norm", torch::nn::BatchNorm1d(4));
    register_module("classifier", torch::nn::Linear(4, context.identities));
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"descriptor", OutputKind::feature, 4}};
  }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    return {features.map().mean({2, 3})};
  }

 private:
  std::shared_ptr<NetworkPart> trunk_;
};

std::vector<LearningGroup> layered_groups(const std::string& groups, const std::string& norm = "false") {
  static const Catalog catalog = [] {
    Catalog whole = tiny_catalog();
    Catalog own;
    own.add<LayeredBackbone>("layered");
    own.add<BranchedHead>("branched");
    whole.merge(std::move(own), "own", "own.so");
    return whole;
  }();
  const auto plan =
      recipe::make_plan(recipe::parse_recipe(tiny_recipe + groups, "tiny.toml",
                                             {"backbone={type='layered', norm=" + norm + "}",
                                              "head={type='branched'}", "loss.entropy.enabled=false"}),
                        catalog);
  const auto model = model::build_model(plan, 5);
  const auto terms = model::build_losses(plan, model->outputs(), model->population());
  return learning_groups(plan.groups, *model, terms, own_optimizers(terms));
}

std::map<std::string, double> rates_in(const LearningGroup& group) {
  std::map<std::string, double> rates;
  for (const auto& parameter : group.parameters)
    rates[parameter.name] = group.learning_rate_factor_of(parameter);
  return rates;
}

}  // namespace

TEST_CASE("layer_decay multiplies the rate once for each block up to the last, copies as what they are of") {
  const auto groups = layered_groups(group("all", "['*']", "layer_decay = 0.5\nlearning_rate_factor = 8\n"));
  CHECK(rates_in(groups[0]) == std::map<std::string, double>{{"backbone.conv.weight", 1},
                                                             {"backbone.conv.bias", 1},
                                                             {"backbone.layers.0.conv.weight", 2},
                                                             {"backbone.layers.0.conv.bias", 2},
                                                             {"head.branch0.layers.1.conv.weight", 4},
                                                             {"head.branch0.layers.1.conv.bias", 4},
                                                             {"head.branch1.layers.1.conv.weight", 4},
                                                             {"head.branch1.layers.1.conv.bias", 4},
                                                             {"head.norm.weight", 8},
                                                             {"head.norm.bias", 8},
                                                             {"head.classifier.weight", 8},
                                                             {"head.classifier.bias", 8},
                                                             {"loss.scale(descriptor).length", 8}});
  CHECK(groups_text(groups) ==
        "GROUP       TENSORS  PARAMETERS  LEARNING RATE  WEIGHT DECAY  FROZEN\n"
        "all         13       110         x 1 to 8       x 1\n"
        "all others  0        0           x 1            x 1\n");
}

TEST_CASE("a normalization at the end of the backbone is no block of its own for layer_decay") {
  const auto rates = rates_in(layered_groups(group("all", "['*']", "layer_decay = 0.5\n"), "true")[0]);
  CHECK(rates.at("backbone.conv.weight") == 0.125);
  CHECK(rates.at("head.branch1.layers.1.conv.weight") == 0.5);
  CHECK(rates.at("head.branch1.norm.scale.weight") == 1);
  CHECK(rates.at("head.norm.weight") == 1);
}

TEST_CASE("a group's bias_factor and layer_decay are multiplied, and its table shows both") {
  const auto groups =
      layered_groups(group("backbone", "['backbone*']", "layer_decay = 0.5\nbias_factor = 2\n"));
  const auto rates = rates_in(groups[0]);
  CHECK(rates.at("backbone.conv.weight") == 0.125);
  CHECK(rates.at("backbone.conv.bias") == 0.25);
  CHECK(groups_text(groups).find("backbone    4        36          x 0.125 to 0.25  x 0.25 to 0.5  x 1\n") !=
        std::string::npos);
}

TEST_CASE("a layer_decay of parameters outside the backbone is refused") {
  CHECK(message_of<RecipeError>([] {
          static_cast<void>(layered_groups(group("new", "['head.classifier*']", "layer_decay = 0.5\n")));
        }) ==
        "tiny.toml:36:1: error: group 'new': layer_decay has no effect: none of its parameters belong to a "
        "block of the backbone, the blocks being 'stem', 'layers.0' and 'layers.1'; remove it, or name "
        "parameters of the backbone");
}

TEST_CASE("weight decay can be kept from parameters of one dimension") {
  const auto groups =
      layered_groups(group("all", "['*']", "weight_decay_on_vectors = false\nweight_decay_factor = 3\n"));
  for (const auto& parameter : groups[0].parameters) {
    INFO(parameter.name);
    CHECK(groups[0].weight_decay_factor_of(parameter) == (parameter.tensor.dim() > 1 ? 3 : 0));
  }
  CHECK(groups_text(groups).find("x 3, vectors x 0") != std::string::npos);
  CHECK(error_of(group("all", "['*']", "weight_decay_on_vectors = false\nweight_decay_factor = 0\n")) ==
        "tiny.toml:36:1: error: group 'all': weight_decay_on_vectors = false has no effect with "
        "weight_decay_factor = 0; remove one of them");
}
