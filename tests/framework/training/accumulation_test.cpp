// train.accumulate: a batch in parts is the whole batch.
#include <doctest/doctest.h>
#include <torch/utils.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/nn/tensor_module.h"
#include "model/model_file.h"
#include "rank_threads.h"
#include "system/precision.h"
#include "temporary_folder.h"
#include "tiny_components.h"
#include "training/batch_parts.h"
#include "training/trainer.h"

using namespace kindred;
using namespace kindred::training;
using namespace kindred::test;

namespace {

using StateTensors = std::map<std::string, torch::Tensor>;

/// One call of a network: its images, and whether it keeps what a backward pass needs.
struct Call {
  std::int64_t images;
  bool with_graph;
  std::vector<torch::Tensor> outputs;
};
std::vector<Call> calls;  // of heads that record

/// A convolution and no batch statistics.
class PlainTrunk : public TensorModule {
 public:
  PlainTrunk()
      : layer_(register_module("layer", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 16, 3).stride(2)))) {}
  torch::Tensor forward(const torch::Tensor& input) override { return torch::relu(layer_(input)); }

 private:
  torch::nn::Conv2d layer_;
};

class PlainBackbone : public Backbone {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("One convolution."); }
  PlainBackbone(const Params&, const Context&) : trunk_(std::make_shared<PlainTrunk>()) {}
  [[nodiscard]] std::vector<std::string> blocks() const override { return {"all"}; }
  [[nodiscard]] std::int64_t channels() const override { return 16; }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string&) override { return trunk_; }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string&, std::int64_t) const override {
    return nullptr;
  }

 private:
  std::shared_ptr<PlainTrunk> trunk_;
};

/// Averages and classifies; when it is to, what dropout and its own random numbers have changed.
class RecordingHead : public Head {
 public:
  struct Params {
    bool random = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Records its calls.");
    s.add("random", &Params::random, "draws");
    return s;
  }
  RecordingHead(const Params& params, const Context& context)
      : draws_(params.random),
        trunk_(context.backbone.trunk("all")),
        identities_(context.identities),
        classifier_(register_module("classifier", torch::nn::Linear(16, identities_))),
        random_(context.random) {}
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"logits", OutputKind::logits, identities_}, {"descriptor", OutputKind::feature, 16}};
  }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    auto feature = features.map().mean({2, 3});
    if (!is_training()) return {feature};
    if (draws_) feature = torch::dropout(feature, 0.3, true) * random_->uniform(0.9, 1.1);
    std::vector<torch::Tensor> outputs{classifier_(feature), feature};
    calls.push_back({feature.size(0), feature.requires_grad(), {outputs[0].detach(), outputs[1].detach()}});
    return outputs;
  }

 private:
  bool draws_;
  std::shared_ptr<NetworkPart> trunk_;
  std::int64_t identities_;
  torch::nn::Linear classifier_;
  std::shared_ptr<RandomStream> random_;
};

/// The hardest pair of each image in the batch: of losses the one that parts would change most.
class HardestPairs : public OutputLoss {
 public:
  struct Params {
    bool smooth = false;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Batch-hard triplets.");
    s.add("smooth", &Params::smooth, "over all pairs at once, as the circle loss");
    return s;
  }
  HardestPairs(const Params& params, const Context&) : smooth_(params.smooth) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] std::vector<std::string> figures() const override { return {"hardest"}; }
  [[nodiscard]] torch::Tensor figure_values() const override { return figure_; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override {
    const auto distances = (output.unsqueeze(0) - output.unsqueeze(1)).square().sum(2);
    const auto same = labels.unsqueeze(0).eq(labels.unsqueeze(1));
    figure_ = distances.masked_fill(~same, -1).amax().detach().reshape({1});
    if (smooth_) {
      const auto positive = distances.masked_fill(~same, -1e4).flatten().logsumexp(0);
      return torch::softplus(positive + (-distances).masked_fill(same, -1e4).flatten().logsumexp(0));
    }
    const auto gap = distances.masked_fill(~same, -1).amax(1) - distances.masked_fill(same, 1e4).amin(1);
    return torch::relu(gap + 0.3).mean();
  }

 private:
  bool smooth_;
  torch::Tensor figure_;
};

const char* const pair_losses = R"(
[[loss]]
type = "hardest"
on = ["descriptor"]
[[loss]]
type = "hardest"
name = "all pairs"
smooth = true
on = ["descriptor"]
weight = 0.5
)";

recipe::Plan plan_in_parts(std::int64_t parts, const std::vector<std::string>& overrides = {},
                           const std::string& more = "") {
  static const Catalog catalog = [] {
    Catalog whole = tiny_catalog();
    Catalog own;
    own.add<PlainBackbone>("plain");
    own.add<RecordingHead>("recording");
    own.add<HardestPairs>("hardest");
    whole.merge(std::move(own), "own", "own.so");
    return whole;
  }();
  std::vector<std::string> all{"train.accumulate=" + std::to_string(parts), "optimizer.learning_rate=0.1"};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return recipe::make_plan(
      recipe::parse_recipe(std::string(tiny_recipe) + pair_losses + more, "tiny.toml", all), catalog);
}

/// Without anything that depends on which images are computed together.
std::vector<std::string> plain(std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"backbone={type='plain'}", "head={type='recording'}"});
  return more;
}

torch::Tensor images_of_step(std::int64_t step) {
  return (torch::linspace(0, 1, 20 * 3 * 16 * 8) * static_cast<double>(step + 1) * 40)
      .sin()
      .reshape({20, 3, 16, 8});
}

struct Run {
  explicit Run(const recipe::Plan& plan)
      : trainer(std::make_unique<Trainer>(plan, model::build_model(plan, 5), torch::kCPU)) {
    trainer->start_epoch(1);
  }
  Run& steps(std::int64_t first, std::int64_t end) {
    for (auto step = first; step < end; ++step) {
      trainer->step(images_of_step(step), torch::arange(20) % 5, 1, step, 1);
    }
    return *this;
  }
  [[nodiscard]] StateTensors tensors() const {
    StateTensors tensors;
    for (const auto& [name, tensor] : trainer->state().tensors) tensors[name] = tensor.detach().clone();
    return tensors;
  }
  std::unique_ptr<Trainer> trainer;
};

bool is_weight(const std::string& name) {
  return name.starts_with("model.") || name.starts_with("loss.") || name.starts_with("average.");
}

/// Four steps in parts give the same losses, figures and weights as whole.
void check_same(const std::vector<std::string>& overrides, const std::string& more = "",
                const std::vector<std::int64_t>& counts = {2, 3, 4, 7, 10}) {
  Run whole(plan_in_parts(1, overrides, more));
  const auto before = whole.tensors();
  whole.steps(0, 4);
  const auto expected = whole.tensors();
  const auto means = whole.trainer->meter().means();
  REQUIRE_FALSE(torch::allclose(before.at("model.head.classifier.weight"),
                                expected.at("model.head.classifier.weight"), 1e-4, 1e-4));
  for (const auto parts : counts) {
    CAPTURE(parts);
    Run in_parts(plan_in_parts(parts, overrides, more));
    in_parts.steps(0, 4);
    for (const auto& entry : in_parts.tensors()) {
      if (!is_weight(entry.first)) continue;
      INFO(entry.first);
      CHECK(torch::allclose(entry.second.to(torch::kFloat64), expected.at(entry.first).to(torch::kFloat64),
                            1e-5, 1e-6));
    }
    const auto found = in_parts.trainer->meter().means();
    REQUIRE(found.size() == means.size());
    for (const auto& entry : means) {
      INFO(entry.first);
      CHECK(found.at(entry.first) == doctest::Approx(entry.second).epsilon(1e-5));
    }
  }
}

}  // namespace

TEST_CASE("parts are of nearly the same size, and none has less than two images") {
  const auto sizes = [](std::int64_t images, std::int64_t parts) {
    std::vector<std::int64_t> result;
    std::int64_t next = 0;
    for (const auto& part : parts_of(images, parts)) {
      CHECK(part.first == next);
      next += part.count;
      result.push_back(part.count);
    }
    CHECK(next == images);
    return result;
  };
  using Sizes = std::vector<std::int64_t>;
  CHECK(sizes(20, 1) == Sizes{20});
  CHECK(sizes(20, 4) == Sizes{5, 5, 5, 5});
  CHECK(sizes(20, 3) == Sizes{7, 7, 6});
  CHECK(sizes(5, 4) == Sizes{3, 2});
  CHECK(sizes(2, 4) == Sizes{2});
}

TEST_CASE(
    "a batch in parts gives the losses, figures and weights of the whole batch, also of losses of pairs") {
  check_same(plain());
  check_same(plain({"train.clip_gradient_norm=0.05", "train.ema_decay=0.9"}));
}

TEST_CASE("so it does with batch statistics that are frozen") {
  check_same({"head={type='recording'}"}, R"(
[[optimizer.group]]
name = "statistics"
parameters = ["backbone.norm*"]
frozen_epochs = 9
)",
             {2, 3});
}

TEST_CASE("so it does when losses are on outputs that reach nothing that learns") {
  check_same(plain(), R"(
[[optimizer.group]]
name = "backbone"
parameters = ["backbone*"]
frozen_epochs = 9
)",
             {3});
}

TEST_CASE("the network sees a part at a time, first without a graph and then with one") {
  calls.clear();
  Run(plan_in_parts(3, plain())).steps(0, 1);
  REQUIRE(calls.size() == 6);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    CHECK(calls[i].images == std::vector<std::int64_t>{7, 7, 6}[i % 3]);
    CHECK(calls[i].with_graph == (i >= 3));
  }
  calls.clear();
  Run(plan_in_parts(1, plain())).steps(0, 1);
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].images == 20);
  CHECK(calls[0].with_graph);
}

TEST_CASE("both passes through a part draw the same random numbers, and each part its own") {
  calls.clear();
  Run run(plan_in_parts(4, plain({"head.random=true"})));
  run.steps(0, 1);
  REQUIRE(calls.size() == 8);
  for (std::size_t part = 0; part < 4; ++part) {
    for (std::size_t output = 0; output < 2; ++output)
      CHECK(torch::equal(calls[part].outputs[output], calls[part + 4].outputs[output]));
  }
  const auto dropped = [](const Call& call) { return call.outputs[1].eq(0); };
  CHECK_FALSE(torch::equal(dropped(calls[0]), dropped(calls[1])));
  // The next step draws others.
  run.steps(1, 2);
  CHECK_FALSE(torch::equal(dropped(calls[0]), dropped(calls[8])));
}

TEST_CASE("statistics of batch normalizations change once for each part") {
  const auto plan = plan_in_parts(4);
  Run run(plan);
  run.steps(0, 1);
  const auto after = run.tensors();
  CHECK(after.at("model.backbone.norm.num_batches_tracked").item<std::int64_t>() == 4);

  const auto model = model::build_model(plan, 5);
  model->train();
  const torch::NoGradGuard no_gradients;
  for (const auto& part : parts_of(20, 4)) static_cast<void>(model->forward(part.of(images_of_step(0))));
  for (const auto& entry : model::module_tensors(*model, "model.")) {
    if (entry.first.find("running_") == std::string::npos) continue;
    INFO(entry.first);
    CHECK(torch::allclose(after.at(entry.first), entry.second, 1e-5, 1e-7));
  }
}

TEST_CASE(
    "ranks that compute their images in parts keep the mean of the statistics that each has after them") {
  const auto plan = plan_in_parts(2);
  constexpr int count = 2;
  const auto images_of = [](std::int64_t rank) {
    return images_of_step(rank) * static_cast<double>(1 + rank) + static_cast<double>(rank);
  };
  // Building a model seeds the generator that all threads share.
  std::vector<std::shared_ptr<model::Model>> models;
  std::vector<StateTensors> alone;
  for (int rank = 0; rank < count; ++rank) {
    models.push_back(model::build_model(plan, 5));
    const auto own = model::build_model(plan, 5);
    own->train();
    const torch::NoGradGuard no_gradients;
    for (const auto& part : parts_of(20, 2)) static_cast<void>(own->forward(part.of(images_of(rank))));
    alone.emplace_back();
    for (const auto& [name, tensor] : own->named_buffers().pairs()) alone.back()[name] = tensor.clone();
  }
  on_ranks(count, [&](const system::Ranks& ranks) {
    Trainer trainer(plan, models[static_cast<std::size_t>(ranks.rank())], torch::kCPU, ranks);
    trainer.start_epoch(1);
    trainer.step(images_of(ranks.rank()),
                 {torch::arange(40) % 5, torch::full({40}, -1, torch::kInt64), {20, 20}}, 1, 0, 1);
  });
  REQUIRE_FALSE(torch::equal(alone[0].at("backbone.norm.running_mean"), torch::zeros({8})));
  for (const auto& model : models) {
    const auto buffers = model->named_buffers();
    for (const std::string name : {"backbone.norm.running_mean", "backbone.norm.running_var"}) {
      CAPTURE(name);
      CHECK_FALSE(torch::allclose(alone[0].at(name), alone[1].at(name), 1e-3, 1e-4));
      CHECK(torch::allclose(buffers[name], (alone[0].at(name) + alone[1].at(name)) / 2, 1e-5, 1e-6));
    }
  }
}

TEST_CASE("a training in parts that goes through a checkpoint ends with the same bits") {
  const auto plan = plan_in_parts(3, {"head={type='recording', random=true}", "train.ema_decay=0.9"});
  Run whole(plan);
  whole.steps(0, 4);
  Run first(plan);
  first.steps(0, 2);
  auto state = first.trainer->state();
  for (auto& entry : state.tensors) entry.second = entry.second.clone();
  Run second(plan);
  second.trainer->restore(state, "checkpoint");
  second.trainer->start_epoch(1);
  second.steps(2, 4);
  const auto expected = whole.tensors();
  for (const auto& entry : second.tensors()) {
    CHECK_MESSAGE(torch::equal(entry.second, expected.at(entry.first)), entry.first);
  }
}

TEST_CASE("parts in bf16 learn what the whole batch does") {
  if (!system::can_compute(torch::kCPU, system::Precision::bf16)) {
    MESSAGE("left out: this processor cannot compute convolutions in bf16");
    return;
  }
  const auto change = [](std::int64_t parts) {
    Run run(plan_in_parts(parts, plain({"train.precision=bf16"})));
    const auto before = run.tensors().at("model.backbone.layer.weight");
    run.steps(0, 1);
    return run.tensors().at("model.backbone.layer.weight") - before;
  };
  const auto whole = change(1);
  CHECK(whole.norm().item<double>() > 0);
  CHECK((change(4) - whole).norm().item<double>() < 0.03 * whole.norm().item<double>());
}

TEST_CASE("an epoch in which the losses depend on nothing that learns is an error in parts, too") {
  Run run(plan_in_parts(2, plain({"loss.centers.enabled=false", "loss.scale.enabled=false"}), R"(
[[optimizer.group]]
name = "all"
parameters = ["backbone*", "head.classifier.weight"]
frozen_epochs = 1
[[optimizer.group]]
name = "rest"
parameters = ["head*"]
)"));
  CHECK_NOTHROW(run.steps(0, 1));
  Run nothing(plan_in_parts(
      2, plain({"loss.centers.enabled=false", "loss.entropy.enabled=false", "loss.scale.enabled=false"}),
      R"(
[[optimizer.group]]
name = "backbone"
parameters = ["backbone*"]
frozen_epochs = 1
)"));
  CHECK(message_of<Error>([&] { nothing.steps(0, 1); }) ==
        "nothing can be trained in epoch 1: all parameters that the losses depend on are frozen; lower "
        "frozen_epochs of a group");
}

TEST_CASE("more parts than half the images of a batch are refused where the recipe says them") {
  const auto batches = [](std::size_t size) {
    return std::vector<std::vector<std::size_t>>{std::vector<std::size_t>(size), std::vector<std::size_t>(3)};
  };
  CHECK_NOTHROW(require_parts(plan_in_parts(4), batches(8)));
  CHECK_NOTHROW(require_parts(plan_in_parts(4), {}));
  CHECK(
      message_of<RecipeError>([&] { require_parts(plan_in_parts(4), batches(7)); }) ==
      "--set train.accumulate=4: error: train.accumulate = 4 leaves less than two images in each part, which "
      "batch normalization needs: the batches of sampler 'shuffled' have 7 images; set it to at most 3, or "
      "use larger batches");
}
