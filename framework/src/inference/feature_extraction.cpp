#include "inference/feature_extraction.h"

#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <stdexcept>

#include "data/loader.h"
#include "data/planned_loader.h"
#include "kindred/core/error.h"
#include "kindred/nn/activations.h"
#include "model/population.h"
#include "progress/meter.h"
#include "system/device.h"
#include "system/out_of_memory.h"

namespace kindred::inference {
namespace {

/// Puts a module into evaluation mode and, at the end of the scope, back into the mode it was in.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module) : module_(module), training_(module.is_training()) {
    module_.eval();
  }
  ~EvaluationMode() { module_.train(training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool training_;
};

/// Model::describe() leaves a row of zeros as it is.
void require_unit_rows(const torch::Tensor& rows, const data::Batch& batch,
                       const std::vector<Sample>& samples) {
  const auto lengths = rows.norm(2, 1).contiguous();
  const auto* length = lengths.data_ptr<float>();
  for (std::size_t i = 0; i < batch.samples.size(); ++i) {
    if (std::abs(length[i] - 1) < 1e-3F) continue;
    throw DataError(samples[batch.samples[i]].path,
                    std::string("the descriptor of this image ") +
                        (length[i] == 0 ? "is zero" : "is not finite") +
                        ": the weights of the model are broken; use another checkpoint");
  }
}

/// Of rows of length 1: the squared length of their mean is their mean cosine.
bool are_nearly_equal(const torch::Tensor& rows) {
  constexpr double least_distance = 1e-5;
  if (rows.size(0) < 2) return false;
  const auto mean = rows.mean(0).to(torch::kFloat64);
  return 1 - mean.dot(mean).item<double>() < least_distance;
}

/// [N, D], rows of length 1.
torch::Tensor describe(model::Model& model, const Activations& images, bool flip_test) {
  const auto rows = model.describe(images);
  if (!flip_test) return rows;
  const auto pixels = images.values.flip({3});
  const auto mirrored = model.describe(images.with(system::place_images(pixels, pixels.device())));
  return torch::nn::functional::normalize(rows + mirrored,
                                          torch::nn::functional::NormalizeFuncOptions().dim(1));
}

system::Precision trained_precision(const recipe::InferencePlan& plan, torch::Device device) {
  return plan.train.precision == system::Precision::automatic ? system::suitable_precision(device)
                                                              : plan.train.precision;
}

}  // namespace

system::Precision inference_precision(const recipe::InferencePlan& plan, torch::Device device) {
  switch (plan.embed.precision) {
    case system::Precision::trained: {
      const auto trained = trained_precision(plan, device);
      return system::can_compute(device, trained) ? trained : system::Precision::fp32;
    }
    case system::Precision::automatic:
      return system::suitable_precision(device);
    default:
      system::require_precision(plan.embed.precision, device, "embed.precision");
      return plan.embed.precision;
  }
}

void note_inference_precision(const recipe::InferencePlan& plan, const system::Computing& used,
                              progress::ProgressSink& progress) {
  const auto trained = trained_precision(plan, used.device);
  if (used.precision == trained) return;
  const bool asked = plan.embed.precision != system::Precision::trained;
  progress.note("features are extracted in " + system::precision_name(used.precision) +
                "; the model was trained in " + system::precision_name(trained) +
                (asked ? "" : ", which " + used.device.str() + " does not support"));
}

file::Features extract_features(model::Model& model, const recipe::ExtractionPlan& plan,
                                const Dataset& dataset, const std::vector<Sample>& samples,
                                const std::string& what, const system::Computing& computing,
                                progress::ProgressSink& progress) {
  if (samples.empty()) throw DataError(what, "there are no images to extract features from");
  model.require_known(samples);
  const torch::NoGradGuard no_gradients;
  const EvaluationMode evaluation_mode(model);
  system::place_module(model, computing.device);

  const auto augmentations = data::create_augmentations(plan);
  data::Loader loader(dataset, samples, augmentations, data::loader_options(plan), false);
  loader.start(data::consecutive_batches(samples.size(), static_cast<std::size_t>(plan.embed.batch_size)), 0);

  progress::Meter meter(progress, "embed " + what, static_cast<std::int64_t>(samples.size()));
  file::Features features;
  features.samples.reserve(samples.size());
  std::int64_t described = 0;
  while (const auto batch = loader.next()) {
    const auto rows = [&] {
      const system::Autocast autocast(computing);
      try {
        const auto input = model::network_input(batch->images, samples, batch->samples, model.population());
        return describe(model, model::placed(input, computing.device), plan.embed.flip_test).to(torch::kCPU);
      } catch (const std::exception& error) {
        if (!system::is_out_of_memory(error)) throw;
        throw system::batch_too_large(computing.device, batch->images,
                                      "lower embed.batch_size, or use smaller images or a smaller model");
      }
    }();
    const auto count = static_cast<std::int64_t>(batch->samples.size());
    if (rows.dim() != 2 || rows.size(0) != count || rows.scalar_type() != torch::kFloat) {
      throw std::logic_error("a model's descriptors must be [N, D], 32-bit floats");
    }
    require_unit_rows(rows, *batch, samples);
    if (described == 0) {
      features.descriptors = torch::empty({static_cast<std::int64_t>(samples.size()), rows.size(1)});
    }
    features.descriptors.slice(0, described, described + count).copy_(rows);
    for (const auto index : batch->samples) features.samples.push_back(samples[index]);
    described += count;
    meter.update(described + loader.skipped());
  }
  if (const auto skipped = loader.skipped(); skipped > 0) {
    const auto messages = loader.skip_messages();
    const auto first = messages.empty() ? std::string() : "; the first: " + messages.front();
    if (described == 0) throw DataError(what, "no images can be read" + first);
    progress.note(std::to_string(skipped) + " of " + std::to_string(samples.size()) + " " + what +
                  " images cannot be read and are skipped" + first);
  }
  features.descriptors = features.descriptors.slice(0, 0, described);
  meter.finish();
  if (are_nearly_equal(features.descriptors)) {
    progress.note("warning: the descriptors of all " + std::to_string(described) + " " + what +
                  " images are nearly equal, so the order in a ranking is chance: the model tells nobody "
                  "apart. It is untrained, or its training collapsed (see the log of the training)");
  }
  return features;
}

}  // namespace kindred::inference
