// The data that a plan speaks of.
#pragma once

#include <memory>
#include <vector>

#include "data/combined_dataset.h"
#include "kindred/core/sample.h"
#include "kindred/role/dataset.h"
#include "recipe/plan.h"

namespace kindred::data {

/// What the plan says of its data, made: the one place that knows how. Several data sets are combined
/// (combined_dataset.h), each with the cameras that it says, and [folds] divides each that is trained on.
/// Throws as the components do.
[[nodiscard]] std::unique_ptr<Dataset> open_dataset(const recipe::DataPlan& plan);

/// The same without the training splits of data sets that are not trained on, and with the images of
/// [[pseudo_labels]] in its training split (joined_dataset.h). Throws DataError as read_samples() and
/// JoinedDataset do.
[[nodiscard]] std::unique_ptr<Dataset> open_training_dataset(const recipe::DataPlan& plan);

/// Data sets alone, as open_dataset() does without [folds]. The catalog must outlive them.
[[nodiscard]] std::unique_ptr<Dataset> open_datasets(const std::vector<recipe::DatasetChoice>& datasets,
                                                     const Catalog& catalog,
                                                     Cameras cameras = Cameras::apart);

/// Whether a training that evaluates in between reads an image of open_training_dataset(): each training
/// image, and query and gallery of the data sets that it is evaluated on.
[[nodiscard]] bool is_read_in_training(const recipe::DataPlan& plan, const Sample& sample);

}  // namespace kindred::data
