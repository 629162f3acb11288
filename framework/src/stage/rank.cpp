#include "stage/rank.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "file/feature_files.h"
#include "file/sample_list.h"
#include "ranking/evaluation.h"
#include "ranking/feature_evaluation.h"
#include "ranking/post_processing.h"
#include "results/evaluation_file.h"

namespace kindred::stage {
namespace {

bool any_labeled(const std::vector<Sample>& samples) {
  return std::any_of(samples.begin(), samples.end(),
                     [](const Sample& sample) { return sample.identity >= 0; });
}

void keep_scores(const results::Evaluation& scores, const std::filesystem::path& folder,
                 progress::ProgressSink& progress) {
  ranking::warn_of_nobody_else(scores, progress);
  results::write_evaluation(folder, scores);
}

}  // namespace

std::optional<RankOutcome> rank(const std::filesystem::path& features, const recipe::RankingPlan& plan,
                                const std::filesystem::path& folder, torch::Device device,
                                progress::ProgressSink& progress, const std::atomic<bool>& stop,
                                const system::Ranks& ranks) {
  const auto query = features / "query.npy";
  const auto gallery = features / "gallery.npy";
  const auto plain_file = folder / "evaluation_plain.json";
  const auto top = plan.ranking.top;
  RankOutcome outcome;
  const auto stopped = [&] { return ranks.any(stop); };
  const bool labeled = any_labeled(file::read_sample_list(features / "query.csv"));
  if (!labeled && !plan.post_processed()) {
    outcome.match = match_features(query, gallery, plan, top, folder, device, progress, ranks);
    return stopped() ? std::nullopt : std::optional(std::move(outcome));
  }
  // What is in several arrays may be more than memory holds.
  if (!plan.post_processed() && file::has_sharded_features(gallery)) {
    if (ranks.is_first()) std::filesystem::remove(plain_file);
    outcome.match = match_features(query, gallery, plan, top, folder, device, progress, ranks);
    if (stopped()) return std::nullopt;
    outcome.scores = ranking::evaluate_features(query, gallery, plan, device, progress, ranks);
    if (ranks.is_first()) keep_scores(*outcome.scores, folder, progress);
    return outcome;
  }
  auto input = ranking::read_search_input(query, gallery, progress, ranks);
  if (labeled && plan.post_processed()) {
    recipe::RankingPlan by_cosine;
    static_cast<recipe::EvaluationPlan&>(by_cosine) = plan;
    outcome.plain_scores = ranking::evaluate_search(input, by_cosine, device, progress, ranks);
    if (ranks.is_first()) results::write_evaluation_json(plain_file, *outcome.plain_scores);
    if (stopped()) return std::nullopt;
  } else if (ranks.is_first()) {
    std::filesystem::remove(plain_file);  // of an earlier call with post-processors
  }
  if (!plan.post_processed()) {
    outcome.match = match_by_cosine(input, top, folder, progress, ranks);
    if (stopped()) return std::nullopt;
    outcome.scores = ranking::evaluate_search(std::move(input), plan, device, progress, ranks);
  } else {
    // Merged queries are other queries than those that are ranked: they are post-processed by themselves.
    if (labeled && plan.evaluate.multi_query) {
      outcome.scores = ranking::evaluate_search(input, plan, device, progress, ranks);
    }
    const auto distances = ranking::post_process(plan, input, device, progress, ranks);
    if (stopped()) return std::nullopt;
    outcome.match = match_distances(input, distances, top, folder, progress, ranks);
    if (stopped()) return std::nullopt;
    if (labeled && !outcome.scores) {
      outcome.scores = ranking::evaluate_distances(input, distances, plan, progress, ranks);
    }
  }
  if (stopped()) return std::nullopt;
  if (outcome.scores && ranks.is_first()) keep_scores(*outcome.scores, folder, progress);
  return outcome;
}

}  // namespace kindred::stage
