// Command "embed": images -> features, with a trained model and no recipe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "progress/progress.h"
#include "stage/embed.h"
#include "system/ranks.h"

namespace kindred::command {

struct EmbedRequest {
  std::filesystem::path model;  ///< model file
  std::filesystem::path data;   ///< folder or manifest of images; empty: the data of the model's recipe
  std::filesystem::path out;    ///< folder
  std::vector<std::string> overrides;  ///< of the model's recipe
  bool train_split = false;            ///< the training images too
  std::filesystem::path maps;          ///< folder for pictures of where the model looks; empty: none
};

/// Throws what reading the model, opening the data and the stage throw, and before anything is extracted
/// DataError when the folder holds features of a split that this call does not write, and RecipeError when
/// features or maps would replace what is read.
/// @param ranks each of which calls this with the same request; rank 0 writes the features
[[nodiscard]] std::vector<stage::EmbeddedSplit> embed(const EmbedRequest& request, const Catalog& catalog,
                                                      progress::ProgressSink& progress,
                                                      const system::Ranks& ranks = system::Ranks::alone());

}  // namespace kindred::command
