// What losses start from: the files that a recipe names for them.
#pragma once

#include <string>
#include <vector>

#include "model/model.h"
#include "recipe/plan.h"
#include "weights/weights_file.h"

namespace kindred::weights {

/// Key of the metadata of a file of losses: what tells the classes of its training from others.
inline constexpr const char* classes_key = "kindred.classes";

/// The file that a loss names. Throws DataError for one that is damaged or another than the recipe's SHA-256
/// says.
[[nodiscard]] WeightsFile read_loss_weights(const recipe::LossChoice& choice);

/// Puts the tensors of the file that each loss names into all terms of it. Trained tensors may be missing
/// from the file and then keep their values; all others must be there.
///
/// Throws DataError for a file that is damaged, is another than the recipe's SHA-256 says, was made for other
/// classes, or does not fit.
/// @param classes of this training (training::classes_of())
/// @param notes gets a sentence for each term
void start_losses(const recipe::Plan& plan, const std::vector<model::LossTerm>& terms,
                  const std::string& classes, std::vector<std::string>& notes);

}  // namespace kindred::weights
