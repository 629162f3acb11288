#include "data/open_dataset.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "data/fold_dataset.h"
#include "data/joined_dataset.h"
#include "data/open_choice.h"
#include "data/open_folder.h"
#include "file/sample_list.h"
#include "kindred/core/error.h"

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

std::unique_ptr<Dataset> open_one(const recipe::DataPlan& plan, const recipe::DatasetChoice& choice) {
  auto dataset = open_choice(choice, *plan.catalog);
  if (plan.folds.fold == 0 || !choice.trained_on()) return dataset;
  return std::make_unique<FoldDataset>(std::move(dataset), plan.folds, plan.folds_location,
                                       open_distractors(plan));
}

template <class Open>
std::unique_ptr<Dataset> combined(const std::vector<recipe::DatasetChoice>& datasets, bool for_training,
                                  Cameras cameras, const Open& open) {
  if (datasets.size() == 1 && datasets.front().prefix.empty()) return open(datasets.front());
  std::vector<CombinedDataset::Part> parts;
  for (const auto& choice : datasets) {
    parts.push_back({open(choice), choice.prefix, !for_training || choice.trained_on()});
  }
  return std::make_unique<CombinedDataset>(std::move(parts), cameras);
}

std::unique_ptr<Dataset> open_all(const recipe::DataPlan& plan, bool for_training) {
  return combined(plan.datasets, for_training, Cameras::of_each,
                  [&](const recipe::DatasetChoice& choice) { return open_one(plan, choice); });
}

}  // namespace

std::unique_ptr<Dataset> open_dataset(const recipe::DataPlan& plan) {
  return open_all(plan, /*for_training=*/false);
}

std::unique_ptr<Dataset> open_datasets(const std::vector<recipe::DatasetChoice>& datasets,
                                       const Catalog& catalog, Cameras cameras) {
  return combined(datasets, /*for_training=*/false, cameras,
                  [&](const recipe::DatasetChoice& choice) { return open_choice(choice, catalog); });
}

bool is_read_in_training(const recipe::DataPlan& plan, const Sample& sample) {
  if (sample.split == Split::train) return true;
  const auto* dataset = recipe::dataset_of(plan.datasets, sample.path);
  return dataset != nullptr &&
         std::find(plan.evaluate_on.begin(), plan.evaluate_on.end(), dataset->name) != plan.evaluate_on.end();
}

std::unique_ptr<Dataset> open_training_dataset(const recipe::DataPlan& plan) {
  auto dataset = open_all(plan, /*for_training=*/true);
  if (plan.pseudo_labels.empty()) return dataset;
  std::vector<JoinedDataset::Part> parts;
  for (const auto& choice : plan.pseudo_labels) {
    auto& part = parts.emplace_back();
    part.file = choice.file;
    part.samples = file::read_sample_list(choice.file);
    if (choice.dataset) part.dataset = open_datasets({*choice.dataset}, *plan.catalog);
  }
  return std::make_unique<JoinedDataset>(std::move(dataset), std::move(parts));
}

}  // namespace kindred::data
