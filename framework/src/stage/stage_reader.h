// Reads the table of one stage of a pipeline.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recipe/component_choice.h"
#include "stage/stage.h"

namespace kindred::stage {

/// What a pipeline says for all of its stages.
struct PipelineDefaults {
  Value dataset;  ///< [dataset] or [[dataset]], or an empty table
  Value machine;  ///< [machine], likewise
};

/// Errors go to the chooser's diagnostics; what could not be read is left empty.
class StageReader {
 public:
  /// @param stage a table
  StageReader(const Value& stage, const PipelineDefaults& defaults, recipe::ComponentChooser& chooser);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const SourceLocation& location() const { return stage_.location(); }
  /// "stage 'base'": for messages
  [[nodiscard]] std::string title() const { return "stage '" + name_ + "'"; }

  /// The keys that the type of stage has itself. To be called once.
  /// @param tables keys that are tables of somebody else's
  template <class Settings>
  Settings settings(std::vector<std::string> tables) {
    tables.insert(tables.end(), {"name", "type", "enabled"});
    const auto schema = Settings::schema();
    const auto settings = schema.parse(stage_, title(), chooser_.diagnostics, tables);
    read_inputs(schema.parameters(), schema.write(settings));
    return settings;
  }
  /// The stages that the keys of settings() name.
  [[nodiscard]] const std::vector<StageInput>& inputs() const { return inputs_; }
  /// Where a key's value stands, or the table.
  [[nodiscard]] SourceLocation location_of(const std::string& key) const;

  /// The component that the table KEY, such as [stage.labeler], chooses. Such a key is called as its role.
  template <class Role>
  recipe::Choice<Role> component() {
    recipe::Choice<Role> choice;
    const std::string role(Role::role_name);
    if (const auto* table = required_table(role, chooser_.what_there_is(role))) {
      chooser_.choose(*table, title() + ": " + role, {"type"}, choice);
    }
    return choice;
  }
  /// The stage's data, with [stage.folds]: [stage.dataset], the data set of the pipeline that `dataset`
  /// names, or the pipeline's only one. An error when there are several.
  recipe::DataPlan data();
  /// A table of the engine's settings, [stage.KEY]; defaults when there is none.
  template <class Settings>
  Settings engine_table(const std::string& key) {
    const auto* value = table(key);
    if (value == nullptr) return {};
    return Settings::schema().parse(*value, title() + ": [stage." + key + "]", chooser_.diagnostics);
  }

  /// The stage's recipe with the pipeline's machine and the stage's data sets; nothing, after an error, when
  /// there are none. Where `dataset` picks some of the pipeline's, the others are not trained on.
  /// @param start_from the stage whose model the whole network starts from: an error where the recipe names
  /// weights itself; [weights] file is absent in the plan
  /// @param losses_from the stage whose losses' tensors those of the recipe start from that need some and
  /// name no file: an error where there are none; their weights_file is absent in the plan
  std::optional<recipe::Plan> plan(const std::optional<std::string>& start_from,
                                   const std::optional<std::string>& losses_from);
  /// What the recipe says of searching; the defaults when the stage has none.
  recipe::RankingPlan ranking_plan();
  /// A table of the stage, or nullptr when there is none.
  [[nodiscard]] const Value* table(const std::string& key) const;

  [[nodiscard]] recipe::ComponentChooser& chooser() { return chooser_; }

 private:
  void read_inputs(const std::vector<ParameterInfo>& parameters, const Value& written);
  const Value* required_table(const std::string& key, const std::string& what_there_is);
  /// What the stage itself or the pipeline says of its data; nullptr after an error.
  const Value* dataset_value();
  /// The names of the pipeline's data sets that the stage's key `dataset` picks; nothing when it picks none.
  [[nodiscard]] std::optional<std::vector<std::string>> picked_names() const;
  /// The pipeline's own data sets. What is wrong with them is told once, not for each stage.
  [[nodiscard]] std::vector<recipe::DatasetChoice> pipeline_datasets() const;
  /// Whether the pipeline has all of them; else an error.
  bool are_known(const std::vector<std::string>& names);
  std::optional<recipe::DatasetChoice> only_dataset();
  /// The pipeline's data sets with those alone trained on and evaluated on that the stage picks.
  void pick_datasets(const std::vector<std::string>& names, Table& recipe) const;

  const Value& stage_;
  const PipelineDefaults& defaults_;
  recipe::ComponentChooser& chooser_;
  std::string name_;
  std::vector<StageInput> inputs_;
};

}  // namespace kindred::stage
