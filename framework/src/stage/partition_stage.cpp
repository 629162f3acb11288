#include "stage/partition_stage.h"

#include <algorithm>
#include <iterator>

#include "stage/partition.h"

namespace kindred::stage {

Schema<PartitionStage::Settings> PartitionStage::Settings::schema() {
  return Schema<Settings>("Assigns each query and gallery image to a domain.");
}

PartitionStage::PartitionStage(StageReader& reader)
    : partitioner_(reader.component<Partitioner>()), dataset_(reader.dataset()) {
  static_cast<void>(reader.settings<Settings>({"partitioner", "dataset"}));
}

Value PartitionStage::settings() const {
  Value settings;
  settings.as<Table>()->set("partitioner", partitioner_.resolved());
  settings.as<Table>()->set("dataset", recipe::resolved_without_root(dataset_));
  return settings;
}

std::vector<const ComponentInfo*> PartitionStage::components() const {
  return {&partitioner_.factory->info(), &dataset_.factory->info()};
}

std::optional<StageData> PartitionStage::data() const {
  return StageData{dataset_, {Split::query, Split::gallery}};
}

std::vector<std::string> PartitionStage::results(const std::filesystem::path&) const {
  return {"domains.csv"};
}

void PartitionStage::check() const {
  static_cast<void>(partitioner_.create({}));
}

StageResult PartitionStage::run(const StageContext& context) const {
  const auto dataset = dataset_.create({});
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
