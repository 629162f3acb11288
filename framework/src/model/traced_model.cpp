#include "model/traced_model.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/nn/functional/normalization.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace kindred::model {
namespace {

/// Modules of the same names with the same tensors, and nothing that computes.
torch::jit::Module mirrored(const torch::nn::Module& module,
                            const std::shared_ptr<torch::jit::CompilationUnit>& unit) {
  torch::jit::Module mirror(c10::QualifiedName("__torch__.kindred.Module"), unit, /*shouldMangle=*/true);
  mirror.register_attribute("training", c10::BoolType::get(), false);
  for (const auto& item : module.named_parameters(/*recurse=*/false)) {
    mirror.register_parameter(item.key(), item.value(), /*is_buffer=*/false);
  }
  for (const auto& item : module.named_buffers(/*recurse=*/false)) {
    if (item.value().defined()) mirror.register_buffer(item.key(), item.value());
  }
  for (const auto& item : module.named_children()) {
    mirror.register_module(item.key(), mirrored(*item.value(), unit));
  }
  return mirror;
}

/// Both of each pair in one pass through the network.
torch::Tensor describe_with_mirror_images(Model& model, const Activations& images) {
  const auto count = images.values.size(0);
  auto both = images.with(torch::cat({images.values, images.values.flip({3})}));
  if (images.cameras.defined()) both.cameras = torch::cat({images.cameras, images.cameras});
  if (images.views.defined()) both.views = torch::cat({images.views, images.views});
  const auto rows = model.describe(both);
  return torch::nn::functional::normalize(rows.narrow(0, 0, count) + rows.narrow(0, count, count),
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

}  // namespace

std::vector<c10::IValue> traced_arguments(const Model& model, const Activations& images) {
  std::vector<c10::IValue> arguments{images.values};
  if (model.side_information().cameras) arguments.emplace_back(images.cameras);
  if (model.side_information().views) arguments.emplace_back(images.views);
  return arguments;
}

torch::jit::Module trace_model(Model& model, const Activations& example, bool flip_test) {
  if (model.is_training()) throw std::logic_error("trace_model needs evaluation mode");
  const torch::NoGradGuard no_gradients;
  const auto unit = std::make_shared<torch::jit::CompilationUnit>();
  auto module = mirrored(model, unit);
  std::vector<std::string> names{"images"};
  if (model.side_information().cameras) names.emplace_back("cameras");
  if (model.side_information().views) names.emplace_back("views");
  const auto run = [&](const torch::jit::Stack& arguments) {
    auto images = example.with(arguments[0].toTensor());
    std::size_t next = 1;
    if (model.side_information().cameras) images.cameras = arguments[next++].toTensor();
    if (model.side_information().views) images.views = arguments[next++].toTensor();
    return torch::jit::Stack{flip_test ? describe_with_mirror_images(model, images) : model.describe(images)};
  };
  const auto traced = torch::jit::tracer::trace(
      traced_arguments(model, example), run, [](const torch::Tensor&) { return std::string(); },
      /*strict=*/true, /*force_outplace=*/false, &module, names);
  auto* forward =
      unit->create_function(c10::QualifiedName(*module.type()->name(), "forward"), traced.first->graph);
  module.type()->addMethod(forward);
  return module;
}

}  // namespace kindred::model
