#include "data/open_dataset.h"

#include <utility>

#include "data/fold_dataset.h"
#include "data/open_folder.h"

namespace kindred {
namespace {

std::unique_ptr<Dataset> open_distractors(const Plan& plan) {
  if (plan.folds.distractors.empty()) return nullptr;
  try {
    return open_folder(plan.folds.distractors, *plan.catalog).dataset;
  } catch (const DataError& error) {
    throw RecipeError(plan.folds_place, std::string("[folds] distractors: ") + error.what() +
                                            "; name another folder, or \"\" for none");
  }
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const Plan& plan) {
  auto dataset = plan.dataset.create({});
  if (plan.folds.fold == 0) return dataset;
  return std::make_unique<FoldDataset>(std::move(dataset), plan.folds, plan.folds_place,
                                       open_distractors(plan));
}

}  // namespace kindred
