// The model that a benchmark measures.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "model/model.h"
#include "recipe/plan.h"
#include "speed/model_steps.h"
#include "system/precision.h"

namespace kindred::bench {

/// What the command line says of the model and its batch.
struct ModelOptions {
  std::string recipe;  ///< a recipe or a model file; "" when a short name is given
  std::string name;    ///< "mgn" or "resnet50"; "" when a recipe is given
  std::vector<std::string> overrides;
  std::int64_t batch = 16;
  std::int64_t identities = 751;
  std::int64_t threads = 0;
  std::string precision = "fp32";
  std::string device = "cpu";
};

/// RECIPE, --model, --set, --batch, --identities, --threads, --precision and --device.
void add_model_options(CLI::App& command, ModelOptions& options);

struct ChosenModel {
  std::string title;  ///< "mgn", or the file's name
  std::optional<std::string> short_name;
  recipe::Plan plan;  ///< with the precision of `computing` for training and embedding
  system::Computing computing;
  std::shared_ptr<model::Model> model;  ///< a model file's, or of random weights; on the CPU
};

/// Reads the recipe or model file, and sets the threads and how GPUs compute, as the recipe's [machine] says
/// it. Throws Error for options that do not fit together, and as reading does.
[[nodiscard]] ChosenModel choose_model(const ModelOptions& options, const Catalog& catalog);

/// Parameters, without those of losses.
[[nodiscard]] std::int64_t parameters_of(const model::Model& model);

/// FLOP of an image forwards, in training with the classifiers.
[[nodiscard]] double forward_flops(model::Model& model, const speed::BatchShape& shape, bool training);

/// What a Peer has to know to do the same. Throws Error for a model that PyTorch's side does not have, and
/// for a recipe that was changed.
[[nodiscard]] nlohmann::json peer_work(const std::string& task, const ChosenModel& chosen,
                                       const ModelOptions& options, const speed::BatchShape& shape);

/// Throws Error unless a peer said the same numbers of parameters and of FLOP of an image.
void require_same_network(const nlohmann::json& about, std::int64_t parameters, double flops);

}  // namespace kindred::bench
