// A data set from a folder of which nothing is said but where it is.
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
};

/// Asks every dataset of the catalog that can be made from its location alone (Meaning::location) whether it
/// knows the layout of `root`, a folder or a file, and gives the surest. Throws DataError when there is
/// nothing at `root`, when no dataset knows it (the message lists what is known), or when several are equally
/// sure.
[[nodiscard]] OpenedFolder open_folder(const std::filesystem::path& root, const Catalog& catalog);

}  // namespace kindred::data
