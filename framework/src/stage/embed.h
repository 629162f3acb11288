// Stage "embed": images -> descriptors.
#pragma once

#include <vector>

#include "features.h"
#include "model.h"
#include "plan.h"
#include "progress.h"

namespace kindred {

/// Describes samples with a model in evaluation mode, with the plan's preprocessing (the augmentations that
/// run at test time). Rows are of length 1. The model is moved to `device` and left there. Images that are
/// bad and skipped are left out of the result and counted in a note.
[[nodiscard]] Features embed(Model& model, const Plan& plan, const Dataset& dataset,
                             const std::vector<Sample>& samples, const std::string& what,
                             torch::Device device, ProgressSink& progress);

}  // namespace kindred
