// The schedule of a plan.
#pragma once

#include <memory>

#include "kindred/role/schedule.h"
#include "recipe/plan.h"

namespace kindred::training {

/// For the plan's epochs. What the schedule finds wrong with them is a RecipeError at the schedule, or at the
/// override on the command line that set them.
[[nodiscard]] std::unique_ptr<Schedule> create_schedule(const recipe::Plan& plan);

}  // namespace kindred::training
