// Stage "label" of a pipeline: descriptors of unlabeled images -> identities for some of them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "kindred/role/labeler.h"
#include "stage/stage.h"
#include "stage/stage_reader.h"

namespace kindred::stage {

class LabelStage final : public Stage {
 public:
  struct Settings {
    std::string features;
    std::vector<std::string> only;
    static Schema<Settings> schema();
  };

  explicit LabelStage(StageReader& reader);

  [[nodiscard]] std::string type() const override { return "label"; }
  void link(const std::function<const Stage&(const std::string&)>& stage_of) override;
  [[nodiscard]] Value settings() const override;
  [[nodiscard]] std::vector<const ComponentInfo*> components() const override;
  /// Those of the descriptors: their images are shown on the sheet, and join a training.
  [[nodiscard]] std::vector<StageData> data() const override { return data_; }
  [[nodiscard]] std::vector<recipe::NamedFile> files() const override;
  [[nodiscard]] std::vector<std::string> results(const std::filesystem::path& folder) const override;
  [[nodiscard]] bool is_shared() const override { return true; }
  void check() const override;
  [[nodiscard]] StageResult run(const StageContext& context) const override;

 private:
  Settings settings_;
  recipe::Choice<Labeler> labeler_;
  std::vector<StageData> data_;
};

}  // namespace kindred::stage
