// A training that was begun with one number of epochs and is to have another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "kindred/core/value.h"
#include "recipe/plan.h"

namespace kindred::training {

class RunDirectory;

/// What has been trained, as a checkpoint says.
struct TrainedSoFar {
  std::int64_t epochs = 0;
  bool within_epoch = false;  ///< some batches of the next epoch are done, too
};

struct Extension {
  std::string note;     ///< "30 epochs are trained; continuing to 60"
  std::string refusal;  ///< why it is not possible, and what to do; "" when it is
};

/// Whether a training can go on where only its number of epochs and its schedule are others: what is trained
/// must be the beginning of what the plan trains, so that the result has the same bits as that of a training
/// in one go. That is so when the schedule gives the same learning rates for it.
/// @param begun Plan::identity() of the training that was begun
/// @return nothing when anything else differs, or nothing does
[[nodiscard]] std::optional<Extension> extension_of(const Value& begun, const recipe::Plan& plan,
                                                    const TrainedSoFar& trained);

/// The same for what a run directory holds. Without a checkpoint, a training that has ended cannot go on.
[[nodiscard]] std::optional<Extension> extension_in(const std::filesystem::path& run_directory,
                                                    const Value& begun, const recipe::Plan& plan);

/// Gives the models of a training that has ended other names, "model.30.safetensors" after 30 epochs, when
/// the plan trains on.
void set_models_aside(const RunDirectory& directory, const recipe::Plan& plan);

}  // namespace kindred::training
