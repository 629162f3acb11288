// Stage "partition" of a pipeline: images -> the domain of each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/role/partitioner.h"
#include "stage/stage.h"
#include "stage/stage_reader.h"

namespace kindred::stage {

class PartitionStage final : public Stage {
 public:
  struct Settings {
    static Schema<Settings> schema();
  };

  explicit PartitionStage(StageReader& reader);

  [[nodiscard]] std::string type() const override { return "partition"; }
  [[nodiscard]] Value settings() const override;
  [[nodiscard]] std::vector<const ComponentInfo*> components() const override;
  [[nodiscard]] std::vector<StageData> data() const override;
  [[nodiscard]] std::vector<recipe::NamedFile> files() const override;
  [[nodiscard]] std::vector<std::string> results(const std::filesystem::path& folder) const override;
  void check() const override;
  [[nodiscard]] StageResult run(const StageContext& context) const override;

 private:
  recipe::Choice<Partitioner> partitioner_;
  recipe::DataPlan data_;
};

}  // namespace kindred::stage
