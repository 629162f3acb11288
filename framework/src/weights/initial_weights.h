// What a network starts from instead of random numbers: the files that a recipe names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "recipe/plan.h"
#include "weights/matching.h"

namespace kindred::weights {

/// A copy of the plan that holds the SHA-256 of each file it names, so that Plan::identity() tells whether
/// the files are the same. One that the recipe gives already stays, and its file is not read. Throws
/// RecipeError when a file cannot be read.
[[nodiscard]] recipe::Plan with_hashes_of_weights(recipe::Plan plan);

/// Throws DataError when a file has another SHA-256 than the recipe says; does nothing where it says none.
void require_hash(const std::filesystem::path& file, const std::optional<std::string>& expected);

/// build_model(), and then the tensors of the files that the plan names: those of the backbone before the
/// head makes its copies of it, those of the whole network at the end.
///
/// Throws DataError for a file that is damaged, is another than the recipe's SHA-256 says, or lacks tensors
/// of the network or has others of another shape, which `allow_missing` does not allow; RecipeError for a
/// pattern of `allow_missing` that no tensor has.
/// @param notes gets a sentence for each file: what was loaded, what was left as it was, what was not used
[[nodiscard]] std::shared_ptr<model::Model> build_initial_model(const recipe::Plan& plan,
                                                                const model::Population& population,
                                                                std::vector<std::string>& notes);

/// The tensors of a file under Kindred's names, as fits the plan's network (translate_for()).
[[nodiscard]] TranslatedWeights translate_for_plan(const WeightsFile& file, const recipe::Plan& plan);

/// Patterns for `allow_missing` by which a file of another number of identities can be used; none when more
/// than the tensors that depend on that number keep the file from fitting.
[[nodiscard]] std::vector<std::string> patterns_for_other_identities(const recipe::Plan& plan,
                                                                     const MatchReport& report);

/// How many identities the classifiers in a file are of: the lengths there that depend, in the plan's
/// network, on the number of identities. Nothing when the file has none. Throws DataError when they disagree.
[[nodiscard]] std::optional<std::int64_t> identities_of(const recipe::Plan& plan,
                                                        const TranslatedWeights& weights,
                                                        const std::filesystem::path& file);

}  // namespace kindred::weights
