#include <torch/nn/modules/dropout.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "command/checkup_steps.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "kindred/role/backbone.h"
#include "kindred/role/head.h"
#include "model/model.h"
#include "recipe/plan.h"
#include "system/device.h"
#include "system/gpu_arithmetic.h"
#include "system/precision.h"
#include "text/number_text.h"

namespace kindred::command {
namespace {

constexpr std::int64_t classes = 8;
constexpr std::int64_t images_at_once = 4;
// What networks are made for where they are told of nothing else.
constexpr std::int64_t image_height = 256;
constexpr std::int64_t image_width = 128;

/// Type and, of the parameters that make networks small, those that the component has and allows.
Value small_component(const ComponentFactory& factory) {
  static const std::vector<std::pair<std::string, Value>> smaller = {
      {"width_multiplier", Value(0.25)},
      {"size", Value(std::string("tiny"))},
      {"depth", Value(std::int64_t{2})},
      {"reduced_dim", Value(std::int64_t{32})}};
  Value component;
  for (const auto& [name, value] : smaller) {
    const auto& known = factory.info().parameters;
    if (std::none_of(known.begin(), known.end(), [&key = name](const auto& one) { return one.name == key; }))
      continue;
    auto tried = component;
    tried.as<Table>()->set(name, value);
    Diagnostics wrong;
    static_cast<void>(factory.parse(tried, wrong, {}));
    if (wrong.empty()) component = std::move(tried);
  }
  component.as<Table>()->set("type", Value(factory.info().name));
  return component;
}

std::shared_ptr<model::Model> build(const ComponentFactory& backbone, const ComponentFactory& head,
                                    const Catalog& catalog) {
  Value recipe;
  recipe.as<Table>()->set("backbone", small_component(backbone));
  recipe.as<Table>()->set("head", small_component(head));
  return model::build_model(recipe::choose_model(recipe, catalog), model::any_population(classes));
}

/// What a network gives for the same images.
struct Pass {
  torch::Tensor descriptors;
  std::vector<torch::Tensor> outputs;
  std::vector<torch::Tensor> gradients;
};

Activations random_images() {
  torch::manual_seed(2);
  Activations images(torch::randn({images_at_once, 3, image_height, image_width}));
  images.cameras = torch::arange(images_at_once) % 2;
  images.views = torch::arange(images_at_once) % 2;
  return images;
}

/// Leaves the running statistics as they are.
Pass pass(model::Model& network, const Activations& images, const system::Computing& computing) {
  std::vector<std::pair<torch::Tensor, torch::Tensor>> statistics;
  for (const auto& buffer : network.buffers()) statistics.emplace_back(buffer, buffer.clone());
  Pass result;
  network.eval();
  {
    const system::Autocast autocast(computing);
    result.descriptors = network.describe(images).to(torch::kCPU);
  }
  network.train();
  for (const auto& module : network.modules()) {
    // Drawn by LibTorch itself, on each device in another way.
    if (module->as<torch::nn::DropoutImpl>() != nullptr) module->eval();
  }
  network.start_step(1, 0);
  torch::Tensor sum;
  {
    const system::Autocast autocast(computing);
    torch::manual_seed(3);
    for (const auto& output : network.forward(images)) {
      result.outputs.push_back(output.detach().to(torch::kCPU));
      if (!output.requires_grad()) continue;
      const auto weights = torch::randn(output.sizes()).to(output.device());
      const auto part = (output * weights).sum() / static_cast<double>(output.numel());
      sum = sum.defined() ? sum + part : part;
    }
  }
  sum.backward();
  for (auto& parameter : network.parameters()) {
    result.gradients.push_back(parameter.grad().defined() ? parameter.grad().to(torch::kCPU).contiguous()
                                                          : torch::Tensor());
    parameter.mutable_grad().reset();
  }
  const torch::NoGradGuard no_gradients;
  for (const auto& [buffer, before] : statistics) buffer.copy_(before);
  return result;
}

/// |a - b| / |b| of the tensor that differs most; of small ones among the others, such as the gradient of a
/// bias ahead of a batch normalization, which is nothing but rounding, relative to a hundredth of the
/// largest. Infinite when one is not finite, on either side, missing on one side alone, or zero in all
/// of `expected` alone.
double difference(const std::vector<torch::Tensor>& found, const std::vector<torch::Tensor>& expected) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  double largest = 0;
  for (const auto& tensor : expected) {
    const double length = tensor.defined() ? tensor.norm().item<double>() : 0;
    if (!std::isfinite(length)) return infinite;
    largest = std::max(largest, length);
  }
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (found.at(i).defined() != expected[i].defined()) return infinite;
    if (!expected[i].defined()) continue;
    const double change = (found[i] - expected[i]).norm().item<double>();
    if (change == 0) continue;
    const double one = change / std::max(expected[i].norm().item<double>(), 1e-2 * largest);
    if (!std::isfinite(one)) return infinite;
    worst = std::max(worst, one);
  }
  return worst;
}

/// On the CPU with images and weights in contiguous memory, for which it has other code than for channels
/// last.
Pass plain_pass(model::Model& network) {
  return pass(network, random_images(), {torch::kCPU, system::Precision::fp32});
}

Pass pass_on(torch::Device device, model::Model& network, system::Precision precision) {
  return pass(network, model::placed(random_images(), device), {device, precision});
}

struct Limits {
  double descriptors;
  double outputs;
  double gradients;

  [[nodiscard]] std::string text() const {
    return "up to " + text::significant_text(descriptors, 1) + ", " + text::significant_text(outputs, 1) +
           ", " + text::significant_text(gradients, 1);
  }
};

CheckList::Finding compared(const Pass& found, const Pass& expected, const Limits& limits) {
  const double descriptors = difference({found.descriptors}, {expected.descriptors});
  const double outputs = difference(found.outputs, expected.outputs);
  const double gradients = difference(found.gradients, expected.gradients);
  return {text::significant_text(descriptors, 2) + ", " + text::significant_text(outputs, 2) +
              ", gradients " + text::significant_text(gradients, 2),
          descriptors <= limits.descriptors && outputs <= limits.outputs && gradients <= limits.gradients,
          "descriptors, outputs in training and gradients of the network differ by more than that from those "
          "that the CPU gives the plain way, relative to their lengths"};
}

void check_network(const std::string& name, model::Model& network, torch::Device device, CheckList& checks) {
  // In training, normalizations over a batch of four make much of a rounding.
  const Limits exact{1e-4, 1e-2, 1e-1};
  Pass plain;
  checks.check("network " + name, exact.text(), [&] {
    plain = plain_pass(network);
    system::place_module(network, device);
    const system::PlainArithmetic arithmetic;
    return compared(pass_on(device, network, system::Precision::fp32), plain, exact);
  });
  const auto precision = system::suitable_precision(device);
  if (plain.gradients.empty() || precision == system::Precision::fp32) return;
  // Of what a batch of four gives in training in 16 bits, it is only asked that it is there.
  constexpr double finite = std::numeric_limits<double>::max();
  const Limits rough{0.2, finite, finite};
  checks.check("network " + name + ", " + system::precision_name(precision), "up to 0.2, the rest finite",
               [&] { return compared(pass_on(device, network, precision), plain, rough); });
}

}  // namespace

void check_networks(const Catalog& catalog, torch::Device device, CheckList& checks) {
  const auto backbones = catalog.components(Backbone::role_name);
  const auto heads = catalog.components(Head::role_name);
  std::set<const ComponentFactory*> seen;
  /// Builds and checks the pair; false where the two do not fit each other.
  const auto try_pair = [&](const ComponentFactory& backbone, const ComponentFactory& head,
                            std::string& refusal) {
    std::shared_ptr<model::Model> network;
    try {
      network = build(backbone, head, catalog);
    } catch (const Error& error) {
      refusal = error.what();
      return false;
    }
    check_network(backbone.info().name + " + " + head.info().name, *network, device, checks);
    seen.insert(&head);
    return true;
  };
  const auto refused = [&](const ComponentFactory& component, const std::string& refusal) {
    checks.check("network " + component.info().name, "", [&]() -> CheckList::Finding {
      return {"fits no other", false, refusal};
    });
  };
  for (const auto* backbone : backbones) {
    std::string refusal = "there is no head";
    const bool fits = std::any_of(heads.begin(), heads.end(),
                                  [&](const auto* head) { return try_pair(*backbone, *head, refusal); });
    if (!fits) refused(*backbone, refusal);
  }
  for (const auto* head : heads) {
    if (seen.contains(head)) continue;
    std::string refusal = "there is no backbone";
    const bool fits = std::any_of(backbones.begin(), backbones.end(),
                                  [&](const auto* backbone) { return try_pair(*backbone, *head, refusal); });
    if (!fits) refused(*head, refusal);
  }
}

}  // namespace kindred::command
