// A data set from a place of which nothing is said but where it is.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "kindred/core/catalog.h"
#include "kindred/role/dataset.h"

namespace kindred::data {

struct OpenedFolder {
  std::string layout;  ///< the component's name: "market1501"
  std::unique_ptr<Dataset> dataset;
  std::string remark;  ///< what the user should know of how it was read; "": nothing
};

/// Asks every dataset of the catalog that can be made from its location alone (Meaning::location) whether it
/// knows the layout of `root`, a folder or a file, and gives the surest. One that takes any images
/// (Recognition::fallback) does not get a folder with folders called train, query, gallery or test, nor one
/// that holds whole data sets one level down: the error says what is there. Throws DataError when there is
/// nothing at `root`, it is a video, its name is not UTF-8, no dataset knows it (the message lists what is
/// known), or several are equally sure.
[[nodiscard]] OpenedFolder open_folder(const std::filesystem::path& root, const Catalog& catalog);

/// What the paths of samples begin in, of the data set at `root`: that folder, or the one in which a file
/// lies, be it a manifest or a single image.
[[nodiscard]] std::filesystem::path folder_of_paths(const std::filesystem::path& root);

}  // namespace kindred::data
