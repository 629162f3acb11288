// Stage "embed" of a pipeline: a model and images -> descriptors.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stage/stage.h"
#include "stage/stage_reader.h"

namespace kindred::stage {

class EmbedStage final : public Stage {
 public:
  struct Settings {
    std::optional<std::string> model;
    std::optional<std::string> weights;
    std::optional<std::string> domains;
    std::vector<std::string> only;
    static Schema<Settings> schema();
  };

  explicit EmbedStage(StageReader& reader);

  [[nodiscard]] std::string type() const override { return "embed"; }
  void link(const std::function<const Stage&(const std::string&)>& stage_of) override;
  [[nodiscard]] Value settings() const override;
  [[nodiscard]] std::vector<const ComponentInfo*> components() const override {
    return {&data_.dataset().factory->info()};
  }
  [[nodiscard]] std::vector<const ComponentInfo*> code() const override { return code_; }
  [[nodiscard]] std::vector<StageData> data() const override;
  [[nodiscard]] std::vector<recipe::NamedFile> files() const override;
  [[nodiscard]] std::vector<std::string> results(const std::filesystem::path& folder) const override;
  [[nodiscard]] bool is_shared() const override { return true; }
  void check() const override {}
  /// Throws RecipeError when there are no query or no gallery images, and what inference_precision() throws.
  void check_on(torch::Device device) const override;
  [[nodiscard]] StageResult run(const StageContext& context) const override;

 private:
  void take_settings_of(const recipe::Plan& plan);
  /// changes_ as overrides of the model's recipe.
  [[nodiscard]] std::vector<std::string> overrides() const;

  const Catalog& catalog_;
  Settings settings_;
  recipe::DataPlan data_;
  std::vector<const ComponentInfo*> code_;
  const recipe::Plan* model_plan_ = nullptr;  ///< of the stage that trains the model, if a stage does
  /// [stage.embed] and [stage.loader] as written, on top of what the recipe of the stage that trains the
  /// model says now: its model file says what it said when the training began.
  Value changes_;
};

}  // namespace kindred::stage
