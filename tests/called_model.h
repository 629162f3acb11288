// A model whose network is a call, for tests of graphs.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <utility>
#include <vector>

#include "kindred/nn/tensor_module.h"
#include "kindred/role/head.h"
#include "model/model.h"

namespace kindred::test {

/// Does what it is told to with a map of four channels.
template <class Call>
class CalledTrunk final : public TensorModule {
 public:
  explicit CalledTrunk(Call call) : call_(std::move(call)) {
    weight = register_parameter("weight", torch::randn({4, 3, 3, 3}) * 0.3);
  }
  torch::Tensor forward(const torch::Tensor& images) override { return call_(torch::conv2d(images, weight)); }
  torch::Tensor weight;

 private:
  Call call_;
};

class MeanOfMap final : public Head {
 public:
  [[nodiscard]] std::vector<OutputInfo> outputs() const override {
    return {{"descriptor", OutputKind::feature, 4}};
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk() const override { return nullptr; }
  [[nodiscard]] std::vector<torch::Tensor> forward(const Activations& features) override {
    return {features.values.mean({2, 3})};
  }
};

/// In evaluation mode.
/// @param call torch::Tensor(const torch::Tensor& map)
template <class Call>
std::shared_ptr<model::Model> called_model(Call call) {
  auto model = std::make_shared<model::Model>(std::make_shared<CalledTrunk<Call>>(std::move(call)),
                                              std::make_shared<MeanOfMap>());
  model->eval();
  return model;
}

}  // namespace kindred::test
