// Command "label": features on disk -> pseudo labels.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "progress/progress.h"
#include "stage/label.h"
#include "system/ranks.h"

namespace kindred::command {

struct LabelRequest {
  std::filesystem::path features;  ///< for features_folder()
  std::string labeler;
  std::vector<std::string> domains;    ///< only images of these; empty: all
  std::filesystem::path domain_list;   ///< CSV file with the domain of each image; empty: as the features say
  std::filesystem::path data;          ///< for open_data(): images for labels.png; empty: none is drawn
  std::filesystem::path out;           ///< folder
  std::vector<std::string> overrides;  ///< of [labeler], [machine], and the recipe `data`
};

struct LabelResult {
  stage::LabelOutcome labels;
  std::optional<std::filesystem::path> sheet;  ///< OUT/labels.png
};

/// Writes labels.csv, labels.json and, with `data`, labels.png. Throws RecipeError for an override that
/// belongs to nothing, and what the stage and the components throw.
/// @param ranks each of which calls this with the same request; rank 0 writes
[[nodiscard]] LabelResult label(const LabelRequest& request, const Catalog& catalog,
                                progress::ProgressSink& progress,
                                const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::command
