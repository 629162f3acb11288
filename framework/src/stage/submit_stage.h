// Stage "submit" of a pipeline: rankings -> a file in somebody else's format.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/role/writer.h"
#include "stage/stage.h"
#include "stage/stage_reader.h"

namespace kindred::stage {

class SubmitStage final : public Stage {
 public:
  struct Settings {
    std::vector<std::string> rankings;
    static Schema<Settings> schema();
  };

  explicit SubmitStage(StageReader& reader);

  [[nodiscard]] std::string type() const override { return "submit"; }
  [[nodiscard]] Value settings() const override;
  [[nodiscard]] std::vector<const ComponentInfo*> components() const override;
  [[nodiscard]] std::vector<StageData> data() const override;
  [[nodiscard]] std::vector<recipe::NamedFile> files() const override;
  [[nodiscard]] std::vector<std::string> results(const std::filesystem::path& folder) const override;
  void check() const override;
  [[nodiscard]] StageResult run(const StageContext& context) const override;

 private:
  Settings settings_;
  recipe::Choice<Writer> writer_;
  recipe::DataPlan data_;
};

}  // namespace kindred::stage
