// The data sets that a recipe has chosen: one, or a list in which each has a name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kindred/core/value.h"
#include "kindred/role/dataset.h"
#include "recipe/component_choice.h"

namespace kindred::recipe {

struct DatasetChoice : Choice<Dataset> {
  /// Share of the images of each batch, relative to the other data sets'; absent: no data set has one.
  std::optional<double> share;
  /// Heads the paths of its images: "NAME/" in a list of several, so that no two images have one path; or "".
  std::string prefix;

  [[nodiscard]] bool trained_on() const { return !share || *share > 0; }
  /// "dataset/market1501", with the name where there are several: what errors call it.
  [[nodiscard]] std::string id() const;
  /// As [dataset], or as an entry of [[dataset]].
  [[nodiscard]] Value resolved_entry() const;
};

/// Reads [dataset], one table, or [[dataset]], a list of tables with `name`, `enabled` and `share` besides.
/// Errors, also of two data sets with one name or of none that is enabled, go to the chooser's diagnostics.
/// @param title what messages call a table: "[dataset]"
[[nodiscard]] std::vector<DatasetChoice> choose_datasets(const Value& value, const std::string& title,
                                                         ComponentChooser& chooser);

/// Whether the images of a batch come from several data sets by shares.
[[nodiscard]] bool have_shares(const std::vector<DatasetChoice>& datasets);

/// Why images of a data set of their own cannot join where there are shares, and what to do.
inline constexpr const char* shareless_labels =
    "these images are of a data set without a share of the batch; add it as [[dataset]] with a share, and "
    "label it by that name";

/// Their names.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<DatasetChoice>& datasets);

/// nullptr when there is none of that name.
[[nodiscard]] const DatasetChoice* find_dataset(const std::vector<DatasetChoice>& datasets,
                                                const std::string& name);

/// The data set that an image is of, by its path; nullptr for one of none of them.
[[nodiscard]] const DatasetChoice* dataset_of(const std::vector<DatasetChoice>& datasets,
                                              const std::string& path);

/// The name that heads the path of an image where there are several data sets, "NAME/PATH".
[[nodiscard]] std::string dataset_name_in(const std::string& path);

}  // namespace kindred::recipe
