// The data set that a plan speaks of.
#pragma once

#include <memory>

#include "kindred/role/dataset.h"
#include "recipe/plan.h"

namespace kindred {

/// What the plan says of its data, made: the one place that knows how. Throws as the component does.
[[nodiscard]] std::unique_ptr<Dataset> open_dataset(const Plan& plan);

}  // namespace kindred
