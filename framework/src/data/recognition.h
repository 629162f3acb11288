// Which data sets know the layout of a place.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/role/dataset.h"

namespace kindred::data {

struct Recognized {
  std::string layout;  ///< the component's name: "market1501"
  std::unique_ptr<Dataset> dataset;
};

/// What the surest of the datasets that can be made from a location alone (Meaning::location) make of `root`.
struct Candidates {
  Recognition recognition = Recognition::no;
  std::vector<Recognized> surest;  ///< several when they are equally sure
};
[[nodiscard]] Candidates recognize(const std::filesystem::path& root, const Catalog& catalog);

/// The names and summaries of all such datasets, one a line after a line break.
[[nodiscard]] std::string known_layouts(const Catalog& catalog);

/// The folders in a folder that are not hidden, by name; none where it cannot be listed.
[[nodiscard]] std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

/// The folders in `root` that hold a data set: likely or certainly in a layout.
struct Below {
  std::filesystem::path folder;
  std::string layout;
};
[[nodiscard]] std::vector<Below> data_sets_below(const std::filesystem::path& root, const Catalog& catalog);

/// "'DIR/a' (market1501), 'DIR/b' (naic) and 3 more"
[[nodiscard]] std::string text_of(const std::vector<Below>& found);

}  // namespace kindred::data
