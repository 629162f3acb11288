#include "data/open_dataset.h"

#include <utility>
#include <vector>

#include "data/joined_dataset.h"
#include "file/sample_list.h"

namespace kindred {

std::unique_ptr<Dataset> open_dataset(const Plan& plan) {
  return plan.dataset.create({});
}

std::unique_ptr<Dataset> open_training_dataset(const Plan& plan) {
  auto dataset = open_dataset(plan);
  if (plan.pseudo_labels.empty()) return dataset;
  std::vector<JoinedDataset::Part> parts;
  for (const auto& choice : plan.pseudo_labels) {
    auto& part = parts.emplace_back();
    part.file = choice.file;
    part.samples = read_sample_list(choice.file);
    if (choice.dataset) part.dataset = choice.dataset->create({});
  }
  return std::make_unique<JoinedDataset>(std::move(dataset), std::move(parts));
}

}  // namespace kindred
