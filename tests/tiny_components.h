// The smallest components that can really be trained, for tests of training: convolutions, batch statistics,
// dropout, a parameter that no loss reaches, a loss with an optimizer of its own.
#pragma once

#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "kindred/nn/activations.h"
#include "kindred/nn/random_tensor.h"
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
#include "kindred/search/average_precision.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

namespace kindred::test {

class TinyDataset : public Dataset {
 public:
  struct Params {
    std::int64_t identities = 5;
    std::int64_t images = 4;
    std::int64_t tested = 0;
    std::string unlabeled;
    std::vector<std::string> bad;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Noise around a color for each identity.");
    s.add("identities", &Params::identities, "in training");
    s.add("images", &Params::images, "of each");
    s.add("tested", &Params::tested, "identities with a query and two gallery images");
    s.add("unlabeled", &Params::unlabeled, "the training image that has no identity");
    s.add("bad", &Params::bad, "images that cannot be read");
    return s;
  }
  TinyDataset(const Params& params, const Context&) : params_(params) {}
  [[nodiscard]] std::vector<Sample> samples() const override {
    std::vector<Sample> samples;
    const auto add = [&](std::int64_t identity, std::int64_t camera, Split split) {
      const auto name =
          std::string(split_name(split)) + "/" + std::to_string(identity) + "_" + std::to_string(camera);
      samples.push_back(
          {name, name == params_.unlabeled ? unlabeled_identity : 10 * identity, camera, "", split});
    };
    for (std::int64_t i = params_.identities; i > 0; --i) {
      for (std::int64_t j = 0; j < params_.images; ++j) add(i, j, Split::train);
    }
    for (std::int64_t i = 1; i <= params_.tested; ++i) {
      add(i, 0, Split::query);
      add(i, 1, Split::gallery);
      add(i, 2, Split::gallery);
    }
    return samples;
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    if (std::find(params_.bad.begin(), params_.bad.end(), sample.path) != params_.bad.end()) {
      throw DataError(sample.path, "is truncated");
    }
    cv::Mat image(16, 8, CV_8UC3);
    RandomStream random(
        7, {static_cast<std::uint64_t>(sample.identity), static_cast<std::uint64_t>(sample.camera)});
    for (auto* byte = image.datastart; byte != image.dataend; ++byte) {
      const auto color = (sample.identity * (3 + (byte - image.datastart) % 3)) % 200;
      *const_cast<unsigned char*>(byte) = static_cast<unsigned char>(color + random.integer(0, 50));
    }
    return image;
  }

 private:
  Params params_;
};

/// Brightness, at random.
class TinyAugmentation : public Augmentation {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Changes the brightness."); }
  TinyAugmentation(const Params&, const Context&) {}
  void apply(cv::Mat& image, RandomStream& random) override {
    image.convertTo(image, CV_32F, random.uniform(0.5, 1.0) / 255);
  }
};

class TinySampler : public Sampler {
 public:
  struct Params {
    std::int64_t batch_size = 4;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Whole batches in random order.");
    s.add("batch_size", &Params::batch_size, "images");
    return s;
  }
  TinySampler(const Params& params, const Context& context)
      : size_(static_cast<std::size_t>(params.batch_size)), samples_(context.samples.size()) {}
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t,
                                                              RandomStream& random) const override {
    std::vector<std::size_t> order(samples_);
    std::iota(order.begin(), order.end(), 0U);
    random.shuffle(std::span(order));
    std::vector<std::vector<std::size_t>> batches;
    for (std::size_t i = 0; i + size_ <= samples_; i += size_) {
      batches.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(i),
                           order.begin() + static_cast<std::ptrdiff_t>(i + size_));
    }
    return batches;
  }

 private:
  std::size_t size_;
  std::size_t samples_;
};

class TinyTrunk : public TensorModule {
 public:
  TinyTrunk()
      : first_(register_module("first", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3).stride(2)))),
        norm_(register_module("norm", torch::nn::BatchNorm2d(8))),
        second_(register_module("second", torch::nn::Conv2d(torch::nn::Conv2dOptions(8, 16, 3)))) {}
  torch::Tensor forward(const torch::Tensor& input) override {
    return second_(torch::relu(norm_(first_(input))));
  }

 private:
  torch::nn::Conv2d first_;
  torch::nn::BatchNorm2d norm_;
  torch::nn::Conv2d second_;
};

class TinyBackbone : public Backbone {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Two convolutions."); }
  TinyBackbone(const Params&, const Context&) : trunk_(std::make_shared<TinyTrunk>()) {}
  [[nodiscard]] std::vector<std::string> blocks() const override { return {"all"}; }
  [[nodiscard]] std::int64_t channels() const override { return 16; }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string&) override { return trunk_; }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string&, std::int64_t) const override {
    return nullptr;
  }

 private:
  std::shared_ptr<TinyTrunk> trunk_;
};

class TinyHead : public Head {
 public:
  struct Params {};
  static Schema<Params> schema() {
    return Schema<Params>("Averages, drops out, classifies what a random factor scales.");
  }
  TinyHead(const Params&, const Context& context)
      : trunk_(context.backbone.trunk("all")),
        width_(context.backbone.channels()),
        identities_(context.identities),
        classifier_(register_module("classifier", torch::nn::Linear(width_, identities_))),
        dropout_(register_module("dropout", torch::nn::Dropout(0.3))),
        random_(context.random) {
    register_parameter("unused", torch::ones({3}));
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return trunk_; }
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"logits", OutputKind::logits, identities_}, {"descriptor", OutputKind::feature, width_}};
  }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    const auto feature = features.map().mean({2, 3});
    if (!is_training()) return {feature};
    return {classifier_(dropout_(feature) * random_->uniform(0.9, 1.1)), feature};
  }

 private:
  std::shared_ptr<NetworkPart> trunk_;
  std::int64_t width_;
  std::int64_t identities_;
  torch::nn::Linear classifier_;
  torch::nn::Dropout dropout_;
  std::shared_ptr<RandomStream> random_;
};

class TinyCrossEntropy : public OutputLoss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Cross entropy."); }
  TinyCrossEntropy(const Params&, const Context&) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::logits}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override {
    return torch::nn::functional::cross_entropy(output, labels);
  }
};

/// Distance to learned centers, which have an optimizer of their own.
class TinyCenters : public OutputLoss {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Distance to centers."); }
  TinyCenters(const Params&, const Context& context)
      : centers_(register_parameter("centers",
                                    random_normal({context.identities, context.dim}, *context.random))) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor& labels) override {
    return (output - centers_.index_select(0, labels)).pow(2).sum(1).mean();
  }
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> own_optimizer() override {
    return std::make_unique<torch::optim::SGD>(std::vector<torch::Tensor>{centers_},
                                               torch::optim::SGDOptions(0.5).momentum(0.5));
  }

 private:
  torch::Tensor centers_;
};

/// A learned scale that joins the model's optimizer; from one step on it is not a number any more.
class TinyScale : public OutputLoss {
 public:
  struct Params {
    std::int64_t breaks_at = 0;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Pulls the length of features to a learned one.");
    s.add("breaks_at", &Params::breaks_at, "step from which on it is NaN; 0: never");
    return s;
  }
  TinyScale(const Params& params, const Context&)
      : breaks_at_(params.breaks_at),
        length_(register_parameter("length", torch::ones({1}))),
        steps_(register_buffer("steps", torch::zeros({}, torch::kInt64))) {}
  [[nodiscard]] static std::vector<OutputKind> takes() { return {OutputKind::feature}; }
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& output, const torch::Tensor&) override {
    steps_.add_(1);
    const auto value = (output.norm(2, 1) - length_).pow(2).mean();
    const bool broken = breaks_at_ > 0 && steps_.item<std::int64_t>() >= breaks_at_;
    return broken ? value * std::numeric_limits<float>::quiet_NaN() : value;
  }

 private:
  std::int64_t breaks_at_;
  torch::Tensor length_;
  torch::Tensor steps_;
};

template <class Made, class Options>
class TinyOptimizer : public Optimizer {
 public:
  struct Params {
    double learning_rate = 0.01;
    double weight_decay = 5e-4;
    double momentum = 0.9;
  };
  static Schema<Params> schema() {
    Schema<Params> s("An optimizer.");
    s.add("learning_rate", &Params::learning_rate, "base");
    s.add("weight_decay", &Params::weight_decay, "of all weights");
    s.add("momentum", &Params::momentum, "of plain descent");
    return s;
  }
  TinyOptimizer(const Params& params, const Context&) : params_(params) {}
  [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> build(
      const std::vector<ParameterGroup>& groups) const override {
    Options options(params_.learning_rate);
    if constexpr (std::is_same_v<Options, torch::optim::SGDOptions>) options.momentum(params_.momentum);
    std::vector<torch::optim::OptimizerParamGroup> made;
    for (const auto& group : groups) {
      auto own = std::make_unique<Options>(options);
      own->weight_decay(params_.weight_decay * group.weight_decay_factor);
      made.emplace_back(group.parameters, std::move(own));
    }
    return std::make_unique<Made>(made, options);
  }
  [[nodiscard]] double learning_rate() const override { return params_.learning_rate; }

 private:
  Params params_;
};
using TinySgd = TinyOptimizer<torch::optim::SGD, torch::optim::SGDOptions>;
using TinyAdam = TinyOptimizer<torch::optim::Adam, torch::optim::AdamOptions>;

/// Halves with each epoch, and falls within it.
class TinySchedule : public Schedule {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Falls."); }
  TinySchedule(const Params&, const Context&) {}
  [[nodiscard]] double factor(std::int64_t epoch, double progress) const override {
    return (1.0 - 0.5 * progress) / static_cast<double>(epoch);
  }
};

/// mAP and Rank-1; the mean rank of the first right image, of which less is better.
class TinyMetric : public Metric {
 public:
  struct Params {};
  static Schema<Params> schema() { return Schema<Params>("Three figures."); }
  static constexpr int default_order = 0;
  TinyMetric(const Params&, const Context&) {}
  [[nodiscard]] std::vector<FigureInfo> figures() const override {
    return {{.name = "mAP", .label = "mAP", .doc = "mean AP", .prominence = Prominence::headline},
            {.name = "rank1", .label = "Rank-1", .doc = "hits", .prominence = Prominence::headline},
            {.name = "first",
             .label = "first",
             .doc = "rank of the first correct image",
             .kind = FigureKind::number,
             .higher_is_better = false}};
  }
  [[nodiscard]] MetricResult judge(const std::vector<QueryRanks>& queries) const override {
    MetricResult result{{0, 0, 0}, {{"ap", "AP", FigureKind::share, {}}}, {}};
    for (const auto& query : queries) {
      result.per_query[0].values.push_back(average_precision(query.ranks));
      result.values[0] += result.per_query[0].values.back();
      result.values[1] += query.ranks.front() == 1 ? 1 : 0;
      result.values[2] += static_cast<double>(query.ranks.front());
    }
    for (auto& value : result.values) value /= static_cast<double>(queries.size());
    return result;
  }
};

inline Catalog tiny_catalog() {
  Catalog scratch;
  scratch.add<TinyDataset>("tiny");
  scratch.add<TinyAugmentation>("brightness");
  scratch.add<TinySampler>("shuffled");
  scratch.add<TinyBackbone>("tiny");
  scratch.add<TinyHead>("tiny");
  scratch.add<TinyCrossEntropy>("entropy");
  scratch.add<TinyCenters>("centers");
  scratch.add<TinyScale>("scale");
  scratch.add<TinySgd>("sgd");
  scratch.add<TinyAdam>("adam");
  scratch.add<TinySchedule>("falling");
  scratch.add<TinyMetric>("tiny");
  Catalog catalog;
  catalog.merge(std::move(scratch), "tiny", "tiny.so");
  return catalog;
}

inline constexpr const char* tiny_recipe = R"(
name = "tiny"
seed = 3
[dataset]
type = "tiny"
[[augmentation]]
type = "brightness"
[sampler]
type = "shuffled"
[backbone]
type = "tiny"
[head]
type = "tiny"
[[loss]]
type = "entropy"
on = ["logits"]
[[loss]]
type = "centers"
on = ["descriptor"]
weight = 0.01
[[loss]]
type = "scale"
on = ["descriptor"]
weight = 0.1
[optimizer]
type = "sgd"
[schedule]
type = "falling"
[train]
epochs = 3
[machine]
device = "cpu"
threads = 1
[loader]
workers = 2
)";

inline recipe::Plan tiny_plan(const Catalog& catalog, const std::vector<std::string>& overrides = {}) {
  return recipe::make_plan(recipe::parse_recipe(tiny_recipe, "tiny.toml", overrides), catalog);
}

}  // namespace kindred::test
