#include "stage/partition_stage.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "data/open_dataset.h"
#include "results/domains_file.h"
#include "stage/partition.h"

namespace kindred::stage {

Schema<PartitionStage::Settings> PartitionStage::Settings::schema() {
  return Schema<Settings>("Assigns each query and gallery image to a domain.");
}

PartitionStage::PartitionStage(StageReader& reader)
    : partitioner_(reader.component<Partitioner>()), data_(reader.data()) {
  static_cast<void>(reader.settings<Settings>({"partitioner", "dataset"}));
}

Value PartitionStage::settings() const {
  Value settings;
  settings.as<Table>()->set("partitioner", recipe::resolved_without_paths(partitioner_));
  settings.as<Table>()->set("dataset", recipe::resolved_without_paths(data_.dataset()));
  return settings;
}

std::vector<const ComponentInfo*> PartitionStage::components() const {
  return {&partitioner_.factory->info(), &data_.dataset().factory->info()};
}

std::vector<StageData> PartitionStage::data() const {
  return {{data_, {Split::query, Split::gallery}}};
}

std::vector<recipe::NamedFile> PartitionStage::files() const {
  auto files = recipe::files_of(partitioner_);
  for (auto& file : recipe::files_of(data_.dataset())) files.push_back(std::move(file));
  return files;
}

std::vector<std::string> PartitionStage::results(const std::filesystem::path&) const {
  return {results::DomainsFile::name};
}

void PartitionStage::check() const {
  static_cast<void>(partitioner_.create({}));
}

StageResult PartitionStage::run(const StageContext& context) const {
  const auto dataset = data::open_dataset(data_);
  const auto all = dataset->samples();
  std::vector<Sample> samples;
  std::copy_if(all.begin(), all.end(), std::back_inserter(samples),
               [](const Sample& sample) { return sample.split != Split::train; });
  const auto outcome =
      partition(*partitioner_.create({}), *dataset, samples, context.folder, context.progress);
  StageResult result;
  for (const auto& domain : outcome.domains) result.images += domain.images;
  return result;
}

}  // namespace kindred::stage
