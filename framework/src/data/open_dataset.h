// The data that a plan speaks of.
#pragma once

#include <memory>

#include "kindred/role/dataset.h"
#include "recipe/plan.h"

namespace kindred::data {

/// What the plan says of its data, made: the one place that knows how. Throws as the component does.
[[nodiscard]] std::unique_ptr<Dataset> open_dataset(const recipe::DataPlan& plan);

/// The same with the images of [[pseudo_labels]] in its training split (joined_dataset.h). Throws DataError
/// as read_samples() and JoinedDataset do.
[[nodiscard]] std::unique_ptr<Dataset> open_training_dataset(const recipe::DataPlan& plan);

}  // namespace kindred::data
