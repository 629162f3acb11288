#include "command/run.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "data/open_dataset.h"
#include "file/atomic_file.h"
#include "file/feature_files.h"
#include "model/artefact.h"
#include "progress/text_table.h"
#include "ranking/post_processing.h"
#include "stage/embed.h"
#include "stage/evaluate.h"
#include "stage/match.h"
#include "stage/train.h"
#include "system/device.h"

namespace kindred {
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
      line += (line.empty() ? "" : ", ") + step + " " + duration_text(seconds);
    }
    return line;
  }

 private:
  Clock::time_point last_ = Clock::now();
  std::vector<std::pair<std::string, double>> steps_;
};

/// Said before the training, not after it.
void require_query_and_gallery(const Plan& plan) {
  const auto samples = open_dataset(plan)->samples();
  for (const auto split : {Split::query, Split::gallery}) {
    const bool any = std::any_of(samples.begin(), samples.end(),
                                 [split](const Sample& sample) { return sample.split == split; });
    if (any) continue;
    throw RecipeError(plan.dataset.place,
                      plan.dataset.subject() + ": has no " + split_name(split) +
                          " images, so nothing can be ranked after the training; to train alone, use "
                          "`kindred train`");
  }
}

bool any_labelled(const std::vector<Sample>& samples) {
  return std::any_of(samples.begin(), samples.end(),
                     [](const Sample& sample) { return sample.identity >= 0; });
}

}  // namespace

RunOutcome run(const Plan& plan, const Catalog& catalog, const std::filesystem::path& folder,
               ProgressSink& progress, const std::atomic<bool>& stop) {
  require_query_and_gallery(plan);
  static_cast<void>(create_post_processors(plan));  // what is wrong with them is said before the training
  static_cast<void>(describing_precision(plan, resolve_device(plan.machine.device)));
  RunOutcome outcome;
  StepTimes times;
  const auto trained = train(plan, folder, progress, stop);
  times.add("training");
  const auto stopped = [&] {
    outcome.interrupted = trained.interrupted || stop;
    return outcome.interrupted;
  };
  if (stopped()) return outcome;

  const auto& model = trained.averaged_model.empty() ? trained.model : trained.averaged_model;
  if (model != trained.model) progress.note("descriptors come from the averaged weights, " + model.string());
  const auto artefact = read_artefact(model, catalog, {});
  Plan described = plan;  // with the embedding asked for now, and the precision that 'auto' came to then
  described.train.precision = artefact.plan.train.precision;
  const auto dataset = open_dataset(plan);
  const auto features = folder / "features";
  const auto device = resolve_device(plan.machine.device);
  static_cast<void>(embed_dataset(*artefact.model, described, *dataset, features, device, progress));
  times.add("embedding");
  if (stopped()) return outcome;
  const auto query = features / "query.npy";
  const auto gallery = features / "gallery.npy";
  const bool labelled = any_labelled(FeatureReader(query).samples());
  if (labelled && plan.post_processed()) {
    RankingPlan by_cosine;
    by_cosine.evaluate = plan.evaluate;
    outcome.plain_scores = evaluate_features(query, gallery, by_cosine, device, progress);
    times.add("evaluation of the descriptors");
    if (stopped()) return outcome;
  }
  MatchOutcome match;
  if (plan.post_processed()) {
    auto input = read_search_input(query, gallery);
    const auto distances = post_process(plan, input, device, progress);
    times.add("post-processing");
    if (stopped()) return outcome;
    match = match_distances(input, distances, plan.ranking.top, folder / "rankings", progress);
    times.add("ranking");
    if (stopped()) return outcome;
    // Merged queries are other queries than those that are ranked: they are post-processed by themselves.
    if (labelled && !plan.evaluate.multi_query) {
      outcome.scores = evaluate_distances(input, distances, plan.evaluate, progress);
    }
  } else {
    match = match_features(query, gallery, plan, plan.ranking.top, folder / "rankings", device, progress);
    times.add("ranking");
    if (stopped()) return outcome;
  }
  const auto plain_file = folder / "evaluation_plain.json";
  if (outcome.plain_scores) {
    write_atomically(plain_file, [&](std::ostream& out) { out << scores_json(*outcome.plain_scores); });
  } else {
    std::filesystem::remove(plain_file);  // of an earlier call with post-processors
  }
  if (labelled) {
    if (!outcome.scores) outcome.scores = evaluate_features(query, gallery, plan, device, progress);
    write_scores(folder, *outcome.scores);
    times.add("evaluation");
  }

  TextTable results;
  results.widths = {20};
  results.rows = {
      {"model", model.string()}, {"descriptors", features.string()}, {"rankings", match.csv.string()}};
  if (outcome.scores) {
    results.rows.push_back({"scores", (folder / "evaluation.json").string()});
    results.rows.push_back({"of each query", (folder / "per_query.csv").string()});
  }
  results.rows.push_back({"recipe, metrics, log", folder.string()});
  outcome.text = (outcome.plain_scores ? "by the descriptors alone:\n" + scores_text(*outcome.plain_scores) +
                                             "after post-processing:\n"
                                       : "") +
                 (outcome.scores ? scores_text(*outcome.scores)
                                 : "no scores: the data set does not say who the queries are\n") +
                 times.text() + "\n" + results.str();
  return outcome;
}

}  // namespace kindred
