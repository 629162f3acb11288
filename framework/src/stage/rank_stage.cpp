#include "stage/rank_stage.h"

#include <utility>

#include "ranking/made_metric.h"
#include "ranking/post_processing.h"
#include "results/evaluation_file.h"
#include "results/matches_file.h"
#include "stage/rank.h"

namespace kindred::stage {

Schema<RankStage::Settings> RankStage::Settings::schema() {
  Schema<Settings> s(
      "Ranks the gallery for each query, as the recipe's [[post_processor]] and [ranking] say, and scores "
      "the "
      "rankings by [evaluate] and [[metric]] where the truth is known.");
  s.add("features", &Settings::features, "stage of type embed whose descriptors are searched")
      .required()
      .stage({"embed"});
  return s;
}

RankStage::RankStage(StageReader& reader)
    : catalog_(reader.chooser().catalog()),
      settings_(reader.settings<Settings>({"recipe"})),
      plan_(reader.ranking_plan()) {}

Value RankStage::settings() const {
  return recipe::part_affecting(Affects::ranking, plan_.resolved_ranking(), catalog_);
}

std::vector<recipe::NamedFile> RankStage::files() const {
  return recipe::files_affecting(Affects::ranking, plan_.resolved_ranking(), catalog_);
}

std::vector<const ComponentInfo*> RankStage::components() const {
  std::vector<const ComponentInfo*> result;
  for (const auto& choice : plan_.post_processors) result.push_back(&choice.factory->info());
  for (const auto& choice : plan_.metrics) result.push_back(&choice.factory->info());
  return result;
}

std::vector<std::string> RankStage::results(const std::filesystem::path& folder) const {
  std::vector<std::string> files{results::MatchesFiles::csv_name, results::MatchesFiles::json_name};
  for (auto& file : results::evaluation_files(folder)) files.push_back(std::move(file));
  if (std::filesystem::exists(folder / "evaluation_plain.json")) files.emplace_back("evaluation_plain.json");
  return files;
}

void RankStage::check() const {
  static_cast<void>(ranking::create_post_processors(plan_));
  static_cast<void>(ranking::create_metrics(plan_));
}

StageResult RankStage::run(const StageContext& context) const {
  const auto outcome = rank(context.folder_of(settings_.features), plan_, context.folder, context.device,
                            context.progress, context.stop, context.ranks);
  if (!outcome) return {true, 0};
  return {false, outcome->match.queries};
}

}  // namespace kindred::stage
