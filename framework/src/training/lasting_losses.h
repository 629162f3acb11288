// What losses have learned that other trainings start from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/model.h"
#include "training/training_data.h"

namespace kindred::training {

inline constexpr const char* losses_name = "losses.safetensors";

/// The number of identities and a checksum that tells them and their order from others: of each identity its
/// number and its first image by path.
[[nodiscard]] std::string classes_of(const TrainingData& data);

/// Writes the tensors of losses that have lasting ones (nn/lasting_tensors.h), named "TERM.NAME", as in
/// "prompt_learning(projected).text_features", with classes_of() in the metadata; no file when there are
/// none. Throws ComponentFault where a loss fails, and for values that are not finite.
void write_lasting_losses(const std::filesystem::path& file, const std::vector<model::LossTerm>& terms,
                          const TrainingData& data);

}  // namespace kindred::training
