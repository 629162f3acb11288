#include "training/planned_schedule.h"

#include "kindred/core/error.h"

namespace kindred::training {

std::unique_ptr<Schedule> create_schedule(const recipe::Plan& plan) {
  try {
    return plan.schedule.create({plan.train.epochs});
  } catch (const RecipeError& error) {
    const auto& found = error.diagnostics().front();
    const bool epochs_overridden = plan.epochs_location.line == 0 && !plan.epochs_location.origin.empty();
    if (found.location.line == 0 || !epochs_overridden) throw;
    throw RecipeError(plan.epochs_location, found.message);
  }
}

}  // namespace kindred::training
