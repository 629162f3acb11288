#include "speed/model_steps.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "kindred/core/error.h"
#include "model/population.h"
#include "progress/text_progress.h"
#include "system/device.h"
#include "training/image_size.h"

namespace kindred::speed {
namespace {

template <class Step>
double seconds_of_steps(std::int64_t steps, torch::Device device, const Step& step) {
  const double start = progress::monotonic_seconds();
  for (std::int64_t i = 0; i < steps; ++i) step();
  system::wait_for(device);
  return progress::monotonic_seconds() - start;
}

std::shared_ptr<model::Model> in_evaluation(std::shared_ptr<model::Model> model, torch::Device device) {
  model->eval();
  system::place_module(*model, device);
  return model;
}

}  // namespace

BatchShape batch_shape(const recipe::ExtractionPlan& plan, std::int64_t images, bool at_test_time) {
  const auto size = training::image_size(plan, at_test_time);
  if (!size) {
    throw Error(
        "augmentation: error: the recipe's images have the size of the data: there is no size to measure "
        "with; add an "
        "augmentation 'resize' that sets height and width");
  }
  return {images, size->height, size->width};
}

Activations synthetic_batch(const BatchShape& shape, const model::Population& population) {
  constexpr std::uint64_t seed = 1;
  const auto pixels =
      torch::randn({shape.images, 3, shape.height, shape.width}, at::detail::createCPUGenerator(seed),
                   torch::TensorOptions(torch::kFloat32));
  const auto turn = [&](std::size_t known) {
    return known == 0 ? torch::full({shape.images}, -1, torch::kInt64)
                      : torch::arange(shape.images) % static_cast<std::int64_t>(known);
  };
  Activations batch(pixels);
  batch.cameras = turn(population.cameras.size());
  batch.views = turn(population.views.size());
  return batch;
}

torch::Tensor synthetic_labels(std::int64_t images, std::int64_t identities) {
  const auto each = std::clamp<std::int64_t>(images / 2, 1, 4);
  return torch::arange(images).div(each, "floor").remainder(identities).to(torch::kInt64);
}

EmbedSteps::EmbedSteps(std::shared_ptr<model::Model> model, const recipe::InferencePlan& plan,
                       const BatchShape& shape, const system::Computing& computing)
    : model_(in_evaluation(std::move(model), computing.device)),
      passes_(plan.embed.flip_test ? 2 : 1),
      computing_(computing),
      images_(synthetic_batch(shape, model_->population())),
      describer_(*model_, plan.embed.flip_test, computing) {}

void EmbedSteps::step() {
  static_cast<void>(describer_.describe(images_).to(torch::kCPU));
}

double EmbedSteps::run(std::int64_t steps) {
  return seconds_of_steps(steps, computing_.device, [&] { step(); });
}

NetworkWork EmbedSteps::work() {
  return recorded_work([&] {
    const torch::NoGradGuard no_gradients;
    const system::Autocast autocast(computing_);
    const auto placed = model::placed(images_, computing_.device);
    for (int pass = 0; pass < passes_; ++pass) static_cast<void>(model_->describe(placed));
  });
}

TrainSteps::TrainSteps(const recipe::Plan& plan, std::shared_ptr<model::Model> model, const BatchShape& shape,
                       torch::Device device)
    : device_(device),
      trainer_(plan, std::move(model), device),
      images_(synthetic_batch(shape, trainer_.model().population())),
      labels_(synthetic_labels(shape.images, trainer_.model().population().identities)) {
  trainer_.start_epoch(1);
}

void TrainSteps::step() {
  constexpr double factor = 0.01;
  trainer_.step(images_, labels_, 1, batch_++, factor);
}

double TrainSteps::run(std::int64_t steps) {
  return seconds_of_steps(steps, device_, [&] { step(); });
}

NetworkWork TrainSteps::work() {
  return recorded_work([&] { step(); });
}

}  // namespace kindred::speed
