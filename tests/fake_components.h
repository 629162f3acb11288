// Components of every role that do as little as their role allows, for tests of the kernel.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/tensor_module.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/backbone.h"
#include "kindred/role/dataset.h"
#include "kindred/role/head.h"
#include "kindred/role/loss.h"
#include "kindred/role/metric.h"
#include "kindred/role/optimizer.h"
#include "kindred/role/sampler.h"
#include "kindred/role/schedule.h"

namespace kindred::test {

/// Parameters of many types, shared by the fakes.
struct FakeParams {
  double prob = 0.3;
  std::int64_t size = 10;
  std::string label = "a \"quoted\" text";
  std::vector<double> mean = {0.485, 0.456, 0.406};
  std::optional<double> margin;
  std::map<std::string, std::int64_t> fixes;
};

inline Schema<FakeParams> fake_schema(std::string summary) {
  Schema<FakeParams> s(std::move(summary), "Nobody et al., FAKE 2024, eq. (1)");
  s.add("prob", &FakeParams::prob, "probability that something happens").range(0, 1);
  s.add("size", &FakeParams::size, "how much of it").at_least(1).unit("pixels");
  s.add("label", &FakeParams::label, "what it is called | by whom");
  s.add("mean", &FakeParams::mean, "a number for each channel").length(3);
  s.add("margin", &FakeParams::margin, "off unless given").above(0);
  s.add("fixes", &FakeParams::fixes, "corrected identities");
  return s;
}

class FakeDataset : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Has no images.");
    s.add("root", &Params::root, "the folder of the images").required().location();
    return s;
  }
  FakeDataset(const Params&, const Context&) {}
  [[nodiscard]] std::vector<Sample> samples() const override { return {}; }
  [[nodiscard]] cv::Mat image(const Sample&) const override { return {}; }
};

class FakeAugmentation : public Augmentation {
 public:
  using Params = FakeParams;
  static Schema<Params> schema() { return fake_schema("Leaves images as they are."); }
  FakeAugmentation(const Params&, const Context&) {}
  void apply(cv::Mat&, RandomStream&) override {}
};

class FakeSampler : public Sampler {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Makes no batches."); }
  FakeSampler(const Params&, const Context&) {}
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t, RandomStream&) const override {
    return {};
  }
};

/// Images [N, 3, H, W] -> [N, 3, 1, 1] -> a linear layer to [N, 8].
class FakeTrunk : public TensorModule {
 public:
  FakeTrunk() : linear_(register_module("linear", torch::nn::Linear(3, 8))) {}
  torch::Tensor forward(const torch::Tensor& input) override { return linear_(input.mean({2, 3})); }

 private:
  torch::nn::Linear linear_;
};

class FakeBackbone : public Backbone {
 public:
  using Params = FakeParams;
  static Schema<Params> schema() { return fake_schema("Averages an image."); }
  FakeBackbone(const Params&, const Context&) : trunk_(std::make_shared<FakeTrunk>()) {}
  [[nodiscard]] std::vector<std::string> blocks() const override { return {"all"}; }
  [[nodiscard]] std::int64_t channels() const override { return 8; }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string&) override { return trunk_; }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string&, std::int64_t) const override {
    return std::make_shared<FakeTrunk>();
  }

 private:
  std::shared_ptr<FakeTrunk> trunk_;
};

class FakeHead : public Head {
 public:
  struct Params {
    bool bias = true;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Classifies what the trunk gives.");
    s.add("bias", &Params::bias, "whether the classifier has a bias");
    return s;
  }
  FakeHead(const Params& params, const Context& context)
      : trunk_(context.backbone.trunk("all")),
        dim_(context.backbone.channels()),
        identities_(context.identities),
        classifier_(register_module(
            "classifier", torch::nn::Linear(torch::nn::LinearOptions(dim_, identities_).bias(params.bias)))) {
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"logits", OutputKind::logits, identities_}, {"descriptor", OutputKind::feature, dim_}};
  }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    const auto& map = features.values;
    if (!is_training()) return {map};
    return {classifier_(map), map};
  }

 private:
  std::shared_ptr<NetworkPart> trunk_;
  std::int64_t dim_;
  std::int64_t identities_;
  torch::nn::Linear classifier_;
};

/// The mean of an output.
template <OutputKind kind>
class FakeLoss : public OutputLoss {
 public:
  using Params = FakeParams;
  static Schema<Params> schema() { return fake_schema("Averages an output."); }
  FakeLoss(const Params&, const Context& context)
      : centers_(register_parameter("centers", torch::zeros({context.identities, context.dim}))) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {kind}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    return output.mean() + centers_.sum();
  }

 private:
  torch::Tensor centers_;
};

class FakeOptimizer : public Optimizer {
 public:
  struct Params {
    double learning_rate = 0.1;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Plain descent.");
    s.add("learning_rate", &Params::learning_rate, "step").above(0);
    return s;
  }
  FakeOptimizer(const Params& params, const Context&) : rate_(params.learning_rate) {}
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const override {
    std::vector<torch::optim::OptimizerParamGroup> made;
    for (const auto& group : groups) made.emplace_back(group.parameters);
    return std::make_unique<torch::optim::SGD>(made, torch::optim::SGDOptions(rate_));
  }
  [[nodiscard]] double learning_rate() const override { return rate_; }

 private:
  double rate_;
};

class FakeSchedule : public Schedule {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Never changes."); }
  FakeSchedule(const Params&, const Context&) {}
  [[nodiscard]] double factor(std::int64_t, double) const override { return 1.0; }
};

/// One figure, by default after those of lower orders.
template <int order>
class FakeMetric : public Metric {
 public:
  struct Params {
    std::int64_t depth = 0;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Finds everything good.");
    s.add("depth", &Params::depth, "ranks looked at").at_least(0);
    return s;
  }
  static constexpr int default_order = order;
  FakeMetric(const Params&, const Context&) {}
  [[nodiscard]] std::vector<FigureInfo> figures() const override {
    return {{.name = "good" + std::to_string(order), .label = "Good", .doc = "1"}};
  }
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>&) const override { return {{1}, {}, {}}; }
};

/// One that has to be listed.
class ListedMetric : public Metric {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Finds everything bad."); }
  ListedMetric(const Params&, const Context&) {}
  [[nodiscard]] std::vector<FigureInfo> figures() const override {
    return {{.name = "bad", .label = "Bad", .doc = "0"}};
  }
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>&) const override { return {{0}, {}, {}}; }
};

/// dataset/folder, augmentation/random_patch, augmentation/flip, sampler/plain, backbone/small,
/// backbone/large, head/simple, loss/entropy (on logits), loss/triplet (on features), optimizer/sgd,
/// schedule/flat, metric/late and metric/soon (in use when none is listed, soon first), metric/listed.
inline Catalog fake_catalog() {
  Catalog scratch;
  scratch.add<FakeDataset>("folder");
  scratch.add<FakeAugmentation>("random_patch");
  scratch.add<FakeAugmentation>("flip");
  scratch.add<FakeSampler>("plain");
  scratch.add<FakeBackbone>("small", {.formerly = {"little"}});
  scratch.add<FakeBackbone>("large");
  scratch.add<FakeHead>("simple");
  scratch.add<FakeLoss<OutputKind::logits>>("entropy");
  scratch.add<FakeLoss<OutputKind::feature>>("triplet");
  scratch.add<FakeOptimizer>("sgd");
  scratch.add<FakeSchedule>("flat");
  scratch.add<FakeMetric<20>>("late");
  scratch.add<FakeMetric<10>>("soon");
  scratch.add<ListedMetric>("listed");
  Catalog catalog;
  catalog.merge(std::move(scratch), "fakes", "plugins/fakes.so");
  return catalog;
}

/// What a recipe of them says beside its data and augmentations.
inline constexpr const char* fake_model = R"([sampler]
type = "plain"
[backbone]
type = "small"
[head]
type = "simple"
[[loss]]
type = "entropy"
on = ["logits"]
[optimizer]
type = "sgd"
[schedule]
type = "flat"
)";

}  // namespace kindred::test
