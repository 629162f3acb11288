// Stage "rank" of a pipeline: descriptors -> rankings and scores.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stage/stage.h"
#include "stage/stage_reader.h"

namespace kindred::stage {

class RankStage final : public Stage {
 public:
  struct Settings {
    std::string features;
    static Schema<Settings> schema();
  };

  explicit RankStage(StageReader& reader);

  [[nodiscard]] std::string type() const override { return "rank"; }
  [[nodiscard]] Value settings() const override;
  [[nodiscard]] std::vector<const ComponentInfo*> components() const override;
  [[nodiscard]] std::vector<recipe::NamedFile> files() const override;
  [[nodiscard]] std::vector<std::string> results(const std::filesystem::path& folder) const override;
  [[nodiscard]] bool is_shared() const override { return true; }
  void check() const override;
  [[nodiscard]] StageResult run(const StageContext& context) const override;

 private:
  const Catalog& catalog_;
  Settings settings_;
  recipe::RankingPlan plan_;
};

}  // namespace kindred::stage
