#include "training/extension.h"

#include <algorithm>
#include <memory>
#include <system_error>

#include "kindred/core/error.h"
#include "recipe/component_choice.h"
#include "recipe/recipe_difference.h"
#include "text/number_text.h"
#include "training/checkpoint.h"
#include "training/planned_schedule.h"
#include "training/run_directory.h"

namespace kindred::training {
namespace {

namespace fs = std::filesystem;

constexpr const char* epochs_key = "train.epochs";

std::string epochs_text(std::int64_t epochs) {
  return std::to_string(epochs) + (epochs == 1 ? " epoch is" : " epochs are") + " trained";
}

/// Nothing when the recipe has no schedule that can be made any more.
std::unique_ptr<Schedule> schedule_of(const Value& begun, const Catalog& catalog) {
  const auto* table = begun.as<Table>();
  const auto* train = table == nullptr ? nullptr : table->find("train");
  const auto* schedule = table == nullptr ? nullptr : table->find("schedule");
  if (train == nullptr || schedule == nullptr) return nullptr;
  recipe::ComponentChooser chooser(catalog);
  recipe::Choice<Schedule> choice;
  chooser.choose(*schedule, "[schedule]", {"type"}, choice);
  const auto epochs = recipe::TrainSettings::schema().parse(*train, "[train]", chooser.diagnostics).epochs;
  if (!chooser.diagnostics.empty()) return nullptr;
  try {
    return choice.create({epochs});
  } catch (const RecipeError&) {
    return nullptr;
  }
}

/// The first epoch that is trained for which two schedules give other learning rates; 0 when there is none.
std::int64_t first_difference(const Schedule& one, const Schedule& other, const TrainedSoFar& trained) {
  const auto last = trained.epochs + (trained.within_epoch ? 1 : 0);
  for (std::int64_t epoch = 1; epoch <= last; ++epoch) {
    for (const double progress : {0.0, 0.25, 0.5, 0.75}) {
      if (one.factor(epoch, progress) != other.factor(epoch, progress)) return epoch;
    }
  }
  return 0;
}

std::string refusal_of(const Value& begun, const recipe::Plan& plan, const TrainedSoFar& trained) {
  const auto last = trained.epochs + (trained.within_epoch ? 1 : 0);
  if (last > plan.train.epochs) {
    return epochs_text(trained.epochs) +
           " already, more than train.epochs = " + std::to_string(plan.train.epochs);
  }
  const auto before = schedule_of(begun, *plan.catalog);
  if (before == nullptr) return "its schedule is not known any more, so it cannot go on to other epochs";
  const auto now = create_schedule(plan);
  const auto epoch = first_difference(*before, *now, trained);
  if (epoch == 0) return "";
  return plan.schedule.subject() + " gives other learning rates than before, from epoch " +
         std::to_string(epoch) + " on (a factor of " + text::significant_text(before->factor(epoch, 0.5), 4) +
         " then, " + text::significant_text(now->factor(epoch, 0.5), 4) +
         " now), so the training cannot go on to it; choose a schedule that is the same up to there, or "
         "start a new "
         "training from its model with [weights] file";
}

}  // namespace

std::optional<Extension> extension_of(const Value& begun, const recipe::Plan& plan,
                                      const TrainedSoFar& trained) {
  const auto differences = recipe::recipe_differences(begun, plan.identity());
  const auto may_differ = [](const recipe::RecipeDifference& difference) {
    return difference.key == epochs_key || difference.key.starts_with("schedule.");
  };
  if (differences.empty() || !std::all_of(differences.begin(), differences.end(), may_differ))
    return std::nullopt;
  Extension extension;
  extension.refusal = refusal_of(begun, plan, trained);
  extension.note = epochs_text(trained.epochs) + "; continuing to " + std::to_string(plan.train.epochs) +
                   ", with the same learning rates as if it had been begun so";
  return extension;
}

std::optional<Extension> extension_in(const fs::path& run_directory, const Value& begun,
                                      const recipe::Plan& plan) {
  const auto checkpoint = read_checkpoint_position(run_directory / checkpoint_name);
  if (checkpoint) return extension_of(begun, plan, {checkpoint->epoch - 1, checkpoint->batch > 0});
  auto extension = extension_of(begun, plan, {});
  if (!extension || !fs::exists(run_directory / model_name)) return std::nullopt;
  extension->refusal =
      "its checkpoint is gone, so it cannot go on to other epochs; start a new training from its model with "
      "[weights] file";
  return extension;
}

void set_models_aside(const RunDirectory& directory, const recipe::Plan& plan) {
  const auto checkpoint = read_checkpoint_position(directory.checkpoint());
  if (!checkpoint || checkpoint->epoch > plan.train.epochs) return;
  for (const auto& model : {directory.model(), directory.averaged_model()}) {
    if (!fs::exists(model)) continue;
    auto aside = model.parent_path() / model.stem();
    aside += "." + std::to_string(checkpoint->epoch - 1) + model.extension().string();
    std::error_code error;
    fs::rename(model, aside, error);
    if (error) throw DataError(aside, "cannot be written: " + error.message());
  }
}

}  // namespace kindred::training
