// What the rankings of a finished run were found to be.
#pragma once

#include <filesystem>
#include <vector>

#include "recipe/plan.h"
#include "study/summary.h"

namespace kindred::study {

/// Of those of its test sets whose identities are known. Throws DataError for a file that is damaged.
/// @param folder of the run
/// @param plan its recipe's
[[nodiscard]] std::vector<RunScores> scores_in(const std::filesystem::path& folder, const recipe::Plan& plan);

}  // namespace kindred::study
