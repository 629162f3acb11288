#include "model/model.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/chain_backbone.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/role/backbone.h"
#include "kindred/role/loss.h"

using namespace kindred;
using namespace kindred::model;  // NOLINT

namespace {

// A batch norm ahead of a convolution, so that training and evaluation differ.
class ConvBlock final : public TensorModule {
 public:
  ConvBlock(std::int64_t in, std::int64_t out, std::int64_t stride) {
    norm_ = register_module("norm", torch::nn::BatchNorm2d(in));
    conv_ = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1).stride(stride)));
  }
  torch::Tensor forward(const torch::Tensor& input) override { return conv_(norm_(input)); }

 private:
  torch::nn::BatchNorm2d norm_{nullptr};
  torch::nn::Conv2d conv_{nullptr};
};

class TestBackbone final : public ChainBackbone {
 public:
  struct Params {
    std::int64_t channels = 4;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Two blocks.");
    s.add("channels", &Params::channels, "of the map");
    return s;
  }
  TestBackbone(const Params& params, const Context& context)
      : random(context.random), drawn((*random)()), channels_(params.channels) {
    assemble(2);
    last_random = random;
    last_drawn = drawn;
  }
  std::int64_t channels() const override { return channels_; }
  // Of the last backbone that was made, which its guard hides.
  static inline std::shared_ptr<RandomStream> last_random;
  static inline std::uint64_t last_drawn = 0;
  std::shared_ptr<RandomStream> random;
  std::uint64_t drawn;

 protected:
  std::vector<BlockRecipe> block_recipes(std::int64_t last_stride) const override {
    return {{"stem", [] { return std::make_shared<ConvBlock>(3, 4, 1); }},
            {"tail", [=, this] { return std::make_shared<ConvBlock>(4, channels_, last_stride); }}};
  }

 private:
  std::int64_t channels_;
};

// Features g1 and g2, logits.g1 and the descriptor; `flaw` breaks a promise.
class TestHead final : public Head {
 public:
  struct Params {
    std::string cut = "tail";
    std::string flaw;
  };
  static Schema<Params> schema() {
    Schema<Params> s("A linear layer for each output.");
    s.add("cut", &Params::cut, "last block");
    s.add("flaw", &Params::flaw, "what is wrong with it");
    return s;
  }
  TestHead(const Params& params, const Context& context)
      : random(context.random),
        drawn((*random)()),
        flaw_(params.flaw),
        channels_(context.backbone.channels()),
        identities_(context.identities),
        trunk_(context.backbone.trunk(params.cut)) {
    classifier_ = register_module("classifier", torch::nn::Linear(channels_, identities_));
    if (flaw_ == "registers the trunk") register_module("trunk", trunk_);
  }
  std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  std::vector<OutputInfo> outputs() const override {
    std::vector<OutputInfo> infos = {
        {"g1", OutputKind::feature, channels_},
        {flaw_ == "twice"     ? "g1"
         : flaw_ == "unnamed" ? ""
         : flaw_ == "star"    ? "g*"
                              : "g2",
         OutputKind::feature, channels_},
        {"logits.g1", OutputKind::logits, flaw_ == "many logits" ? identities_ + 1 : identities_}};
    if (flaw_ != "no descriptor") infos.push_back({"descriptor", OutputKind::feature, 2 * channels_});
    return infos;
  }
  std::vector<torch::Tensor> forward(const Activations& features) override {
    const auto map = features.map();
    const auto g1 = map.mean({2, 3});
    const auto g2 = map.amax({2, 3});
    const auto descriptor = torch::cat({g1, g2}, 1);
    if (flaw_ == "throws") throw 7;
    if (!is_training()) return {flaw_ == "wrong descriptor" ? descriptor[0] : descriptor};
    if (flaw_ == "too few") return {g1, g2};
    if (flaw_ == "too short") return {g1.slice(1, 1), g2, classifier_(g1), descriptor};
    return {g1, g2, classifier_(g1).to(torch::kBFloat16), descriptor};
  }
  std::shared_ptr<RandomStream> random;
  std::uint64_t drawn;

 private:
  std::string flaw_;
  std::int64_t channels_;
  std::int64_t identities_;
  std::shared_ptr<NetworkPart> trunk_;
  torch::nn::Linear classifier_{nullptr};
};

template <OutputKind Kind>
class TestLoss final : public OutputLoss {
 public:
  struct Params {
    bool refuse = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("A parameter as wide as the output.");
    s.add("refuse", &Params::refuse, "does not fit its output");
    return s;
  }
  TestLoss(const Params& params, const Context& context)
      : identities(context.identities), random(context.random), drawn((*random)()) {
    if (params.refuse) throw ComponentError("loss/test", "does not like this width");
    weight = register_parameter("weight", torch::randn({context.dim}));
  }
  [[nodiscard]] static std::vector<OutputKind> takes() { return {Kind}; }
  torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    return (output * weight).sum();
  }
  torch::Tensor weight;
  std::int64_t identities;
  std::shared_ptr<RandomStream> random;
  std::uint64_t drawn;
};

/// Has its parameter under two names.
class TwiceNamedLoss final : public OutputLoss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("One parameter."); }
  TwiceNamedLoss(const Params& /*params*/, const Context& context) {
    weight = register_parameter("weight", torch::randn({context.dim}));
    register_parameter("again", weight);
    register_buffer("constant", torch::ones({2}));
    register_buffer("constant_again", named_buffers()["constant"]);  // no step changes it
  }
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    return (output * weight).sum();
  }
  torch::Tensor weight;
};

/// Doubles its output, the labels or the cameras, for those that come after it.
class ChangingLoss final : public Loss {
 public:
  struct Params {
    std::string what;
  };
  static Schema<Params> schema() { return Schema<Params>("Changes what it is given."); }
  ChangingLoss(Params params, const Context& /*context*/) : params_(std::move(params)) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  torch::Tensor compute(const LossBatch& batch) override {
    auto same = params_.what == "output"   ? batch.outputs[0]
                : params_.what == "labels" ? batch.labels
                                           : batch.cameras;
    same.mul_(2);
    return batch.outputs[0].sum();
  }

 private:
  Params params_;
};

using FeatureLoss = TestLoss<OutputKind::feature>;
using LogitsLoss = TestLoss<OutputKind::logits>;

const Catalog& catalog() {
  static const Catalog instance = [] {
    Catalog c;
    c.add<TestBackbone>("test");
    c.add<TestHead>("test");
    c.add<FeatureLoss>("on_features");
    c.add<LogitsLoss>("on_logits");
    c.add<TwiceNamedLoss>("twice_named");
    return c;
  }();
  return instance;
}

template <class Component>
recipe::Choice<typename Component::Role> choose(const std::string& type, typename Component::Params params,
                                                SourceLocation location) {
  return {catalog().find<typename Component::Role>(type),
          std::make_shared<const typename Component::Params>(std::move(params)),
          std::move(location),
          {},
          type};
}

recipe::Plan plan_of(TestHead::Params head = {}, std::uint64_t seed = 1, std::int64_t channels = 4) {
  recipe::Plan plan;
  plan.seed = seed;
  plan.backbone = choose<TestBackbone>("test", {.channels = channels}, {"r.toml", 3, 1});
  plan.head = choose<TestHead>("test", std::move(head), {"r.toml", 7, 1});
  return plan;
}

template <class L>
recipe::LossChoice loss_on(std::vector<std::string> on, const std::string& name = "x", double weight = 1,
                           recipe::Reduction reduction = recipe::Reduction::sum, bool refuse = false) {
  recipe::LossChoice choice;
  static_cast<recipe::Choice<Loss>&>(choice) = choose<L>(
      std::is_same_v<L, FeatureLoss> ? "on_features" : "on_logits", {.refuse = refuse}, {"r.toml", 11, 1});
  choice.name = name;
  choice.on = std::move(on);
  choice.on_location = {"r.toml", 12, 6};
  choice.weight = weight;
  choice.reduction = reduction;
  return choice;
}

std::vector<LossTerm> terms_of(std::vector<recipe::LossChoice> losses, std::uint64_t seed = 1) {
  auto plan = plan_of({}, seed);
  plan.losses = std::move(losses);
  return build_losses(plan, build_model(plan, 5)->outputs(), 5);
}

std::vector<std::string> names_of(const std::vector<LossTerm>& terms) {
  std::vector<std::string> names;
  for (const auto& term : terms) names.push_back(term.name);
  return names;
}

bool equal_tensors(const Model& a, const Model& b, const std::string& prefix = "") {
  const auto of_b = b.named_parameters();
  for (const auto& item : a.named_parameters()) {
    if (item.key().starts_with(prefix) && !torch::equal(item.value(), of_b[item.key()])) return false;
  }
  return true;
}

std::string message_of(const std::vector<recipe::LossChoice>& losses) {
  try {
    (void)terms_of(losses);
  } catch (const RecipeError& error) {
    return error.what();
  }
  return "";
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("tensors are named for backbone and head") {
  const auto model = build_model(plan_of(), 5);
  const auto parameters = model->named_parameters();
  CHECK(parameters.contains("backbone.stem.conv.weight"));
  CHECK(parameters.contains("backbone.tail.conv.bias"));
  CHECK(parameters.contains("head.classifier.weight"));
  CHECK(parameters.size() == 2 * 4 + 2);
}

TEST_CASE("the seed alone decides the weights") {
  torch::manual_seed(99);
  const auto one = build_model(plan_of({}, 4), 5);
  torch::manual_seed(1234);
  const auto same = build_model(plan_of({}, 4), 5);
  const auto other = build_model(plan_of({}, 5), 5);
  CHECK(equal_tensors(*one, *same));
  CHECK_FALSE(equal_tensors(*one, *other, "backbone"));
  CHECK_FALSE(equal_tensors(*one, *other, "head"));
}

TEST_CASE("the head's weights do not depend on how many numbers the backbone has drawn") {
  const auto whole = build_model(plan_of({.cut = "tail"}), 5);
  const auto cut = build_model(plan_of({.cut = "stem"}), 5);
  CHECK(torch::equal(whole->named_parameters()["head.classifier.weight"],
                     cut->named_parameters()["head.classifier.weight"]));
}

TEST_CASE("training gives every output in 32-bit floats") {
  const auto model = build_model(plan_of(), 5);
  const auto outputs = model->forward(torch::rand({2, 3, 8, 4}));
  REQUIRE(outputs.size() == model->outputs().size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    CHECK(outputs[i].sizes().vec() == std::vector<std::int64_t>{2, model->outputs()[i].dim});
    CHECK((outputs[i].scalar_type() == torch::kFloat32));
  }
}

TEST_CASE("describing gives rows of length 1 without a graph") {
  const auto model = build_model(plan_of(), 5);
  model->eval();
  const auto images = torch::rand({3, 3, 8, 4});
  const auto descriptors = model->describe(images);
  CHECK(descriptors.sizes().vec() == std::vector<std::int64_t>{3, 8});
  CHECK(torch::allclose(descriptors.norm(2, 1), torch::ones({3})));
  CHECK_FALSE(descriptors.requires_grad());
  const auto raw = model->forward(images);
  REQUIRE(raw.size() == 1);
  CHECK(torch::allclose(raw[0] / raw[0].norm(2, 1, true), descriptors));
}

TEST_CASE("describing in training mode is a mistake of the program") {
  const auto model = build_model(plan_of(), 5);
  CHECK_THROWS_AS((void)model->describe(torch::rand({3, 3, 8, 4})), std::logic_error);
}

TEST_CASE("a head whose outputs break the role's promises is refused") {
  CHECK_THROWS_WITH_AS((void)build_model(plan_of({.flaw = "twice"}), 5),
                       doctest::Contains("gave two outputs the name 'g1'"), recipe::ComponentFault);
  CHECK_THROWS_WITH_AS((void)build_model(plan_of({.flaw = "no descriptor"}), 5),
                       doctest::Contains("of which the last is not the feature 'descriptor'"),
                       recipe::ComponentFault);
  CHECK_THROWS_WITH_AS((void)build_model(plan_of({.flaw = "unnamed"}), 5),
                       doctest::Contains("gave an output the name ''; a name is not empty"),
                       recipe::ComponentFault);
  CHECK_THROWS_WITH_AS((void)build_model(plan_of({.flaw = "star"}), 5),
                       doctest::Contains("gave an output the name 'g*'"), recipe::ComponentFault);
  CHECK_THROWS_WITH_AS((void)build_model(plan_of({.flaw = "many logits"}), 5),
                       doctest::Contains("head 'test' gave its logits 'logits.g1' the dim 6; logits have one "
                                         "number for each of the 5 identities"),
                       recipe::ComponentFault);
}

TEST_CASE("a tensor has one name, or each step would change it once for each of them") {
  CHECK_THROWS_WITH_AS((void)build_model(plan_of({.flaw = "registers the trunk"}), 5),
                       doctest::Contains("head 'test' has one tensor under two names, "
                                         "'backbone.stem.norm.weight' and 'head.trunk.stem.norm.weight'"),
                       recipe::ComponentFault);
  recipe::LossChoice choice;
  static_cast<recipe::Choice<Loss>&>(choice) = choose<TwiceNamedLoss>("twice_named", {}, {"r.toml", 11, 1});
  choice.name = "x";
  choice.on = {"g1"};
  CHECK_THROWS_WITH_AS((void)terms_of({choice}),
                       doctest::Contains("loss 'twice_named' has one tensor under two names, 'weight' and "
                                         "'again'"),
                       recipe::ComponentFault);
}

TEST_CASE("what a head gives is checked against its outputs, in training and in evaluation") {
  const auto said = [](const std::string& flaw, bool training) {
    const auto model = build_model(plan_of({.flaw = flaw}), 5);
    model->train(training);
    try {
      static_cast<void>(model->forward(torch::rand({3, 3, 8, 4})));
    } catch (const recipe::ComponentFault& fault) {
      return fault.reason();
    }
    return std::string();
  };
  CHECK(said("", true).empty());
  CHECK(said("", false).empty());
  CHECK(said("too few", true) == "head 'test' gave 2 outputs instead of 4");
  CHECK(said("too short", true) ==
        "head 'test' gave a tensor [3, 3] of type Float as 'g1' of 3 images; it must be floats [3, 4]");
  CHECK(
      said("wrong descriptor", false) ==
      "head 'test' gave a tensor [8] of type Float as 'descriptor' of 3 images; it must be floats [3, dim]");
  CHECK(said("throws", true).find("head 'test' failed: it threw a value of type 'int'") == 0);
}

TEST_CASE("what a component finds wrong is said at its table in the recipe") {
  CHECK_THROWS_WITH_AS((void)build_model(plan_of({.cut = "tal"}), 5),
                       "r.toml:7:1: error: head 'test': there is no block 'tal' to cut after; did you mean "
                       "'tail'? The blocks are 'stem' and 'tail'",
                       RecipeError);
  CHECK(message_of({loss_on<FeatureLoss>({"g1"}, "x", 1, recipe::Reduction::sum, true)}) ==
        "r.toml:11:1: error: loss 'on_features': does not like this width");
}

TEST_CASE("a loss has an instance of its own for each output, of the output's width") {
  const auto terms = terms_of(
      {loss_on<FeatureLoss>({"g1", "descriptor"}, "near"), loss_on<LogitsLoss>({"logits.g1"}, "id")});
  CHECK(names_of(terms) == Names{"near(g1)", "near(descriptor)", "id(logits.g1)"});
  REQUIRE(terms.size() == 3);
  CHECK(terms[0].outputs == std::vector<std::size_t>{0});
  CHECK(terms[1].outputs == std::vector<std::size_t>{3});
  CHECK(terms[2].outputs == std::vector<std::size_t>{2});
  CHECK(terms[0].loss->parameters()[0].numel() == 4);
  CHECK(terms[1].loss->parameters()[0].numel() == 8);
  CHECK(terms[2].loss->parameters()[0].numel() == 5);
  CHECK(std::dynamic_pointer_cast<FeatureLoss>(terms[0].loss)->identities == 5);
}

TEST_CASE("a loss leaves what it is given as it is, for the others") {
  const LossBatch batch{{torch::ones({3, 4}, torch::requires_grad()) * 1},
                        torch::zeros({3}, torch::kInt64),
                        torch::zeros({3}, torch::kInt64)};
  for (const auto& [what, called] : {std::pair<std::string, std::string>{"output", "its output"},
                                     {"labels", "the labels"},
                                     {"cameras", "the cameras"}}) {
    const LossTerm changing{"x(g1)",
                            {0},
                            1,
                            std::make_shared<ChangingLoss>(ChangingLoss::Params{what}, Loss::Context{4, 5}),
                            "loss 'changing'",
                            ComponentRandom(1, Part::loss)};
    const auto refusal = "loss 'changing' changed " + called + " in place, which other losses take";
    CHECK_THROWS_WITH_AS((void)changing.value(batch), doctest::Contains(refusal.c_str()),
                         recipe::ComponentFault);
  }
  auto sound = terms_of({loss_on<FeatureLoss>({"g1"})});
  CHECK_NOTHROW((void)sound.at(0).value(batch));
}

TEST_CASE("a star stands for any characters") {
  CHECK(names_of(terms_of({loss_on<FeatureLoss>({"g*"})})) == Names{"x(g1)", "x(g2)"});
  CHECK(names_of(terms_of({loss_on<LogitsLoss>({"logits.*"})})) == Names{"x(logits.g1)"});
  CHECK(names_of(terms_of({loss_on<FeatureLoss>({"*sc*tor"})})) == Names{"x(descriptor)"});
  CHECK(names_of(terms_of({loss_on<LogitsLoss>({"*.g1*"})})) == Names{"x(logits.g1)"});
  CHECK(message_of({loss_on<FeatureLoss>({"*3"})}).find("'*3'") != std::string::npos);
  CHECK(message_of({loss_on<FeatureLoss>({"g1*g1"})}).find("'g1*g1'") != std::string::npos);
}

TEST_CASE("an output that two patterns match is taken once, in the order of the patterns") {
  CHECK(names_of(terms_of({loss_on<FeatureLoss>({"g2", "g*"})})) == Names{"x(g2)", "x(g1)"});
}

TEST_CASE("weights are summed, or shared among the outputs") {
  CHECK(terms_of({loss_on<FeatureLoss>({"g*"}, "x", 3)})[1].weight == 3);
  CHECK(terms_of({loss_on<FeatureLoss>({"g*"}, "x", 3, recipe::Reduction::mean)})[1].weight == 1.5);
}

TEST_CASE("a loss's own parameters depend on the seed and on its place alone") {
  const auto one = terms_of({loss_on<FeatureLoss>({"g*"})});
  torch::manual_seed(77);
  const auto same = terms_of({loss_on<FeatureLoss>({"g2"})});
  const auto other = terms_of({loss_on<FeatureLoss>({"g*"})}, 2);
  const auto weight = [](const LossTerm& term) { return term.loss->parameters()[0]; };
  CHECK(torch::equal(weight(one[1]), weight(same[0])));
  CHECK_FALSE(torch::equal(weight(one[0]), weight(one[1])));
  CHECK_FALSE(torch::equal(weight(one[0]), weight(other[0])));
}

TEST_CASE("two losses of one name on one output are an error, since nothing could tell them apart") {
  CHECK(message_of({loss_on<FeatureLoss>({"g*"}), loss_on<FeatureLoss>({"g1"})}) ==
        "r.toml:11:1: error: loss 'on_features': two losses are called 'x(g1)', so that figures and files "
        "could not tell them apart; give one of them its own 'name', or leave it out");
  CHECK(names_of(terms_of({loss_on<FeatureLoss>({"g*"}), loss_on<FeatureLoss>({"g1"}, "y")})) ==
        Names{"x(g1)", "x(g2)", "y(g1)"});
  CHECK(names_of(terms_of({loss_on<FeatureLoss>({"g1"}), loss_on<FeatureLoss>({"g2"})})) ==
        Names{"x(g1)", "x(g2)"});
}

TEST_CASE("every wrong output is reported at once, with those that there are") {
  const auto message = message_of({loss_on<FeatureLoss>({"g3", "nothing*"}), loss_on<FeatureLoss>({"*g1"}),
                                   loss_on<LogitsLoss>({"g*"}), loss_on<LogitsLoss>({})});
  CHECK(message ==
        "r.toml:12:6: error: loss 'on_features': the head has no output 'g3'; did you mean 'g1'? It has "
        "features 'g1', 'g2' and 'descriptor'; logits 'logits.g1'\n"
        "r.toml:12:6: error: loss 'on_features': the head has no output 'nothing*'; it has features 'g1', "
        "'g2' and 'descriptor'; logits 'logits.g1'\n"
        "r.toml:12:6: error: loss 'on_features': works only on features, unlike 'logits.g1'; the features "
        "are 'g1', 'g2' and 'descriptor'\n"
        "r.toml:12:6: error: loss 'on_logits': works only on logits, unlike 'g1' and 'g2'; the logits are "
        "'logits.g1'\n"
        "r.toml:12:6: error: loss 'on_logits': is applied to no output; the head has features 'g1', 'g2' and "
        "'descriptor'; logits 'logits.g1'");
}

TEST_CASE("each part of a network draws from a stream of its own, which the seed decides") {
  const auto drawn = [](std::uint64_t seed) {
    std::vector<std::uint64_t> numbers;
    auto plan = plan_of({}, seed);
    plan.losses = {loss_on<FeatureLoss>({"g1", "g2"}), loss_on<FeatureLoss>({"g1"}, "y")};
    const auto model = build_model(plan, 5);
    numbers.push_back(TestBackbone::last_drawn);
    numbers.push_back(std::dynamic_pointer_cast<TestHead>(model->named_children()["head"])->drawn);
    for (const auto& term : build_losses(plan, model->outputs(), 5)) {
      numbers.push_back(std::dynamic_pointer_cast<FeatureLoss>(term.loss)->drawn);
    }
    return numbers;
  };
  const auto numbers = drawn(1);
  REQUIRE(numbers.size() == 5);
  CHECK(std::set<std::uint64_t>(numbers.begin(), numbers.end()).size() == 5);
  CHECK(drawn(1) == numbers);
  CHECK(drawn(2)[0] != numbers[0]);
}

TEST_CASE("what a part draws in a step depends on epoch and batch, and not on earlier steps") {
  auto plan = plan_of();
  plan.losses = {loss_on<FeatureLoss>({"g1"})};
  const auto model = build_model(plan, 5);
  const auto backbone = TestBackbone::last_random;
  const auto head = std::dynamic_pointer_cast<TestHead>(model->named_children()["head"])->random;
  const auto terms = build_losses(plan, model->outputs(), 5);
  const auto loss = std::dynamic_pointer_cast<FeatureLoss>(terms[0].loss)->random;
  const auto step = [&](std::int64_t epoch, std::int64_t batch) {
    model->start_step(epoch, batch);
    terms[0].random.start_step(epoch, batch);
    return std::vector<std::uint64_t>{(*backbone)(), (*head)(), (*loss)(), (*loss)()};
  };
  const auto first = step(1, 0);
  CHECK(std::set<std::uint64_t>(first.begin(), first.end()).size() == 4);
  const auto second = step(1, 1);
  CHECK(second != first);
  CHECK(step(2, 0) != first);
  CHECK(step(1, 1) == second);
  CHECK(step(1, 0) == first);
}
