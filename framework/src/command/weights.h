// Commands "weights inspect" and "weights import": looking at files of weights, and making models of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "recipe/plan.h"
#include "weights/matching.h"
#include "weights/weights_file.h"

namespace kindred::command {

struct WeightsSummary {
  weights::WeightsFile file;
  std::string sha256;
  weights::TranslatedWeights weights;
};

/// Throws what reading the file throws.
/// @param key of the weights in a file with several networks, or ""
/// @param catalog whose components say what other programs call their tensors
[[nodiscard]] WeightsSummary inspect_weights(const std::filesystem::path& file, const std::string& key,
                                             const Catalog& catalog);
/// What the file is, and a row for each tensor.
[[nodiscard]] std::string weights_text(const WeightsSummary& summary);
/// The same as JSON.
[[nodiscard]] std::string weights_json(const WeightsSummary& summary);

struct ImportOptions {
  std::filesystem::path file;
  std::filesystem::path out;                 ///< the model that is written
  std::string key{};                         ///< of the weights in a file with several networks, or ""
  weights::Allowed allowed{};                ///< what need not match
  std::optional<std::int64_t> identities{};  ///< absent: as the file's classifiers have them
  /// The numbers of the cameras and views that the network was trained with, in the order in which the other
  /// program counted them; for networks that use them.
  std::vector<std::int64_t> cameras{};
  std::vector<std::int64_t> views{};
};

struct ImportOutcome {
  std::int64_t identities = 0;
  weights::MatchReport report;
  bool written = false;
  std::string text;  ///< for people: what became of every tensor that did not simply match
};

/// Sets in the plan what the file's layout demands, builds its network, puts the file's tensors in and writes
/// it as a model, with the recipe inside, as training does; the recipe says [weights] for where they came
/// from. What depends on the number of identities starts from random numbers when the file is of another one.
/// When the report is not complete nothing is written. Throws Error where the number of identities or the
/// cameras that the network uses are not known or a pattern matches nothing, RecipeError where the recipe
/// says otherwise than the layout demands, DataError for a file that cannot be used.
[[nodiscard]] ImportOutcome import_weights(recipe::Plan plan, const ImportOptions& options);

}  // namespace kindred::command
