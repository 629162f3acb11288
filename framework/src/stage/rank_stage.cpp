#include "stage/rank_stage.h"

#include "ranking/post_processing.h"
#include "stage/rank.h"

namespace kindred::stage {

Schema<RankStage::Settings> RankStage::Settings::schema() {
  Schema<Settings> s(
      "Ranks the gallery for each query by the [[post_processor]], [ranking] and [evaluate] of the recipe, "
      "and evaluates the rankings if identities are known.");
  s.add("features", &Settings::features, "stage of type embed whose descriptors are searched").required();
  return s;
}

RankStage::RankStage(StageReader& reader)
    : settings_(reader.settings<Settings>({"recipe"})),
      plan_(reader.ranking_plan()),
      features_location_(reader.location_of("features")) {}

std::vector<StageInput> RankStage::inputs() const {
  return {{"features", {settings_.features}, {"embed"}, features_location_}};
}

Value RankStage::settings() const {
  return plan_.resolved_ranking();
}

std::vector<const ComponentInfo*> RankStage::components() const {
  std::vector<const ComponentInfo*> result;
  for (const auto& choice : plan_.post_processors) result.push_back(&choice.factory->info());
  return result;
}

std::vector<std::string> RankStage::results(const std::filesystem::path& folder) const {
  std::vector<std::string> files{"matches.csv", "matches.json"};
  for (const auto* file : {"evaluation.json", "evaluation_plain.json", "per_query.csv", "roc.csv"}) {
    if (std::filesystem::exists(folder / file)) files.emplace_back(file);
  }
  return files;
}

void RankStage::check() const {
  static_cast<void>(ranking::create_post_processors(plan_));
}

StageResult RankStage::run(const StageContext& context) const {
  const auto outcome = rank(context.folder_of(settings_.features), plan_, context.folder, context.folder,
                            context.device, context.progress, context.stop);
  if (!outcome) return {true, 0};
  return {false, outcome->match.queries};
}

}  // namespace kindred::stage
