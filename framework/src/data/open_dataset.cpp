#include "data/open_dataset.h"

#include <string>
#include <utility>
#include <vector>

#include "data/fold_dataset.h"
#include "data/joined_dataset.h"
#include "data/open_choice.h"
#include "data/open_folder.h"
#include "file/sample_list.h"

namespace kindred::data {
namespace {

std::unique_ptr<Dataset> open_distractors(const recipe::DataPlan& plan) {
  if (plan.folds.distractors.empty()) return nullptr;
  try {
    return open_folder(plan.folds.distractors, *plan.catalog).dataset;
  } catch (const DataError& error) {
    throw RecipeError(plan.folds_location, std::string("[folds] distractors: ") + error.what() +
                                               "; name another folder, or \"\" for none");
  }
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const recipe::DataPlan& plan) {
  auto dataset = open_choice(plan.dataset);
  if (plan.folds.fold == 0) return dataset;
  return std::make_unique<FoldDataset>(std::move(dataset), plan.folds, plan.folds_location,
                                       open_distractors(plan));
}

std::unique_ptr<Dataset> open_training_dataset(const recipe::DataPlan& plan) {
  auto dataset = open_dataset(plan);
  if (plan.pseudo_labels.empty()) return dataset;
  std::vector<JoinedDataset::Part> parts;
  for (const auto& choice : plan.pseudo_labels) {
    auto& part = parts.emplace_back();
    part.file = choice.file;
    part.samples = file::read_sample_list(choice.file);
    if (choice.dataset) part.dataset = open_choice(*choice.dataset);
  }
  return std::make_unique<JoinedDataset>(std::move(dataset), std::move(parts));
}

}  // namespace kindred::data
