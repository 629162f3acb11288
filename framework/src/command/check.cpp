#include "command/check.h"

#include "ranking/made_metric.h"
#include "ranking/post_processing.h"
#include "recipe/idle_settings.h"
#include "text/text_table.h"
#include "training/plan_check.h"

namespace kindred::command {

std::string check_recipe(const Value& recipe, const Catalog& catalog) {
  if (pipeline::is_pipeline(recipe)) return check_pipeline(pipeline::make_pipeline(recipe, catalog));
  if (recipe::speaks_of_ranking_alone(recipe)) return check_ranking(recipe::choose_ranking(recipe, catalog));
  return training::check_plan(recipe::make_plan(recipe, catalog));
}

std::string check_ranking(const recipe::RankingPlan& plan) {
  static_cast<void>(ranking::create_post_processors(plan));
  static_cast<void>(ranking::create_metrics(plan));
  text::TextTable summary;
  summary.widths = {20};
  summary.rows = {{"post_processor", plan.post_processors_text()},
                  {"by domain", plan.ranking.by_domain ? "yes" : "no"},
                  {"top", std::to_string(plan.ranking.top)},
                  {"metric", plan.metrics_text()}};
  std::string text =
      summary.str() + "\nFor features on disk: kindred evaluate FOLDER --recipe FILE, kindred match ...\n";
  for (const auto& warning : recipe::idle_post_processors(plan)) text += "\n" + warning + "\n";
  return text;
}

std::string check_pipeline(const pipeline::Pipeline& pipeline) {
  text::TextTable table;
  table.heads = {"STAGE", "TYPE", "READS", "MADE OF"};
  table.widths = {24, 10, 30};
  pipeline::check_stages(pipeline);
  for (const auto& stage : pipeline.stages) {
    std::string reads;
    for (const auto& input : stage->inputs) {
      for (const auto& name : input.names) reads += (reads.empty() ? "" : ", ") + name;
    }
    std::string components;
    for (const auto* component : stage->components()) {
      components += (components.empty() ? "" : ", ") + component->id();
    }
    table.rows.push_back({stage->name, stage->type(), reads.empty() ? "-" : reads, components});
  }
  return table.str();
}

}  // namespace kindred::command
