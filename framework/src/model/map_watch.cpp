#include "model/map_watch.h"

#include <ATen/core/grad_mode.h>
#include <torch/utils.h>

#include <cstdint>
#include <string>
#include <utility>

#include "kindred/nn/network_part.h"

namespace kindred::model {

/// Has the children, parameters and buffers of another module as its own, so that their names stay, and
/// leaves the computing to it.
class MapWatch::Recorder final : public NetworkPart {
 public:
  Recorder(std::shared_ptr<NetworkPart> watched, std::shared_ptr<Maps> maps,
           std::vector<Activations> Maps::*list)
      : watched_(std::move(watched)), maps_(std::move(maps)), list_(list) {
    for (const auto& child : watched_->named_children()) register_module(child.key(), child.value());
    for (const auto& parameter : watched_->named_parameters(/*recurse=*/false)) {
      register_parameter(parameter.key(), parameter.value(), parameter.value().requires_grad());
    }
    for (const auto& buffer : watched_->named_buffers(/*recurse=*/false)) {
      register_buffer(buffer.key(), buffer.value());
    }
    NetworkPart::train(watched_->is_training());
  }

  void train(bool on) override {
    NetworkPart::train(on);
    watched_->train(on);
  }

  Activations propagate(const Activations& input) override {
    Activations features;
    {
      const torch::NoGradGuard no_gradients;
      features = watched_->propagate(input);
    }
    features.values = features.values.detach();
    features.values.set_requires_grad(at::GradMode::is_enabled());
    ((*maps_).*list_).push_back(features);
    return features;
  }

 private:
  std::shared_ptr<NetworkPart> watched_;
  std::shared_ptr<Maps> maps_;
  std::vector<Activations> Maps::*list_;
};

class MapWatch::WatchedBackbone final : public Backbone {
 public:
  WatchedBackbone(Backbone& backbone, std::shared_ptr<Maps> maps)
      : backbone_(backbone), maps_(std::move(maps)) {}

  [[nodiscard]] std::vector<std::string> blocks() const override { return backbone_.blocks(); }
  [[nodiscard]] std::int64_t channels() const override { return backbone_.channels(); }
  [[nodiscard]] FeatureForm gives() const override { return backbone_.gives(); }
  [[nodiscard]] SideInformation side_information() const override { return backbone_.side_information(); }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string& cut) override {
    return std::make_shared<Recorder>(backbone_.trunk(cut), maps_, &Maps::trunk);
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string& cut,
                                                       std::int64_t last_stride) const override {
    return std::make_shared<Recorder>(backbone_.copy_rest(cut, last_stride), maps_, &Maps::rests);
  }

 private:
  Backbone& backbone_;
  std::shared_ptr<Maps> maps_;
};

MapWatch::MapWatch() : maps_(std::make_shared<Maps>()) {}
MapWatch::~MapWatch() = default;

std::unique_ptr<Backbone> MapWatch::watched(Backbone& backbone) {
  return std::make_unique<WatchedBackbone>(backbone, maps_);
}

std::vector<Activations> MapWatch::take() {
  const auto maps = std::exchange(*maps_, {});
  return maps.rests.empty() ? maps.trunk : maps.rests;
}

}  // namespace kindred::model
