// The data set that a path on the command line stands for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/role/dataset.h"

namespace kindred::command {

struct OpenedData {
  std::unique_ptr<Dataset> dataset;
  std::string layout;          ///< the dataset that recognized the folder or manifest; "" for a recipe
  std::filesystem::path root;  ///< where it lies; "" for data that come from nowhere, or from several places
  std::string remark;          ///< what the user should know of how it was read; "": nothing
  std::string contents;        ///< of a recipe with several data sets: a table of what each has; else ""
  std::vector<std::filesystem::path> places;  ///< of all data sets: folders, and lists of images
};

/// Several data sets of a recipe are one, whose images are called NAME/PATH (data/combined_dataset.h).
/// @param path a recipe (NAME.toml), whose loader.max_megapixels holds from now on, or an image, a folder or
/// a manifest whose layout is recognized
/// @param overrides of the recipe; throws RecipeError when there are any and the path is not a recipe
[[nodiscard]] OpenedData open_data(const std::filesystem::path& path,
                                   const std::vector<std::string>& overrides, const Catalog& catalog);

}  // namespace kindred::command
