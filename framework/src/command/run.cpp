#include "command/run.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "data/open_dataset.h"
#include "inference/feature_extraction.h"
#include "model/model_file.h"
#include "ranking/post_processing.h"
#include "stage/embed.h"
#include "stage/rank.h"
#include "stage/train.h"
#include "system/device.h"
#include "text/text_table.h"

namespace kindred::command {
namespace {

using Clock = std::chrono::steady_clock;

/// How long each step took.
class StepTimes {
 public:
  void add(std::string step) {
    const auto now = Clock::now();
    steps_.emplace_back(std::move(step), std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }
  [[nodiscard]] std::string text() const {
    std::string line;
    for (const auto& [step, seconds] : steps_) {
      line += (line.empty() ? "" : ", ") + step + " " + progress::duration_text(seconds);
    }
    return line;
  }

 private:
  Clock::time_point last_ = Clock::now();
  std::vector<std::pair<std::string, double>> steps_;
};

/// Said before the training, not after it.
void require_query_and_gallery(const recipe::Plan& plan) {
  const auto samples = data::open_dataset(plan)->samples();
  for (const auto split : {Split::query, Split::gallery}) {
    const bool any = std::any_of(samples.begin(), samples.end(),
                                 [split](const Sample& sample) { return sample.split == split; });
    if (any) continue;
    throw RecipeError(
        plan.dataset.location,
        plan.dataset.subject() + ": has no " + split_name(split) +
            " images, so nothing can be ranked after training; to train only, use `kindred train`");
  }
}

}  // namespace

RunOutcome run(const recipe::Plan& plan, const Catalog& catalog, const std::filesystem::path& folder,
               progress::ProgressSink& progress, const std::atomic<bool>& stop) {
  require_query_and_gallery(plan);
  static_cast<void>(
      ranking::create_post_processors(plan));  // what is wrong with them is said before the training
  static_cast<void>(inference::inference_precision(plan, system::resolve_device(plan.machine.device)));
  RunOutcome outcome;
  StepTimes times;
  const auto trained = stage::train(plan, folder, progress, stop);
  times.add("training");
  const auto stopped = [&] {
    outcome.interrupted = trained.interrupted || stop;
    return outcome.interrupted;
  };
  if (stopped()) return outcome;

  const auto& model = trained.averaged_model.empty() ? trained.model : trained.averaged_model;
  if (model != trained.model) progress.note("using the averaged weights, " + model.string());
  const auto model_file = model::read_model_file(model, catalog, {});
  recipe::Plan described =
      plan;  // with the embedding asked for now, and the precision that 'auto' came to then
  described.train.precision = model_file.plan.train.precision;
  const auto dataset = data::open_dataset(plan);
  const auto features = folder / "features";
  const auto device = system::resolve_device(plan.machine.device);
  static_cast<void>(stage::embed_dataset(*model_file.model, described, *dataset, dataset->samples(), features,
                                         device, progress));
  times.add("embedding");
  if (stopped()) return outcome;
  const auto ranked = stage::rank(features, plan, folder / "rankings", folder, device, progress, stop);
  times.add("ranking");
  if (!ranked || stopped()) return outcome;
  outcome.scores = ranked->scores;
  outcome.plain_scores = ranked->plain_scores;

  text::TextTable results;
  results.widths = {20};
  results.rows = {{"model", model.string()},
                  {"descriptors", features.string()},
                  {"rankings", ranked->match.csv.string()}};
  if (outcome.scores) {
    results.rows.push_back({"scores", (folder / "evaluation.json").string()});
    results.rows.push_back({"per query", (folder / "per_query.csv").string()});
  }
  results.rows.push_back({"recipe, metrics, log", folder.string()});
  outcome.text =
      (outcome.plain_scores ? "with descriptors only:\n" + ranking::scores_text(*outcome.plain_scores) +
                                  "after post-processing:\n"
                            : "") +
      (outcome.scores ? ranking::scores_text(*outcome.scores) : "no scores: the queries are unlabeled\n") +
      times.text() + "\n" + results.str();
  return outcome;
}

}  // namespace kindred::command
