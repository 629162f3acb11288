#include "stage/rank.h"

#include <algorithm>
#include <ostream>
#include <vector>

#include "file/atomic_file.h"
#include "file/feature_files.h"
#include "ranking/feature_evaluation.h"
#include "ranking/post_processing.h"

namespace kindred::stage {
namespace {

bool any_labelled(const std::vector<Sample>& samples) {
  return std::any_of(samples.begin(), samples.end(),
                     [](const Sample& sample) { return sample.identity >= 0; });
}

}  // namespace

std::optional<RankOutcome> rank(const std::filesystem::path& features, const recipe::RankingPlan& plan,
                                const std::filesystem::path& rankings_folder,
                                const std::filesystem::path& scores_folder, torch::Device device,
                                progress::ProgressSink& progress, const std::atomic<bool>& stop) {
  const auto query = features / "query.npy";
  const auto gallery = features / "gallery.npy";
  const bool labelled = any_labelled(file::FeatureReader(query).samples());
  const auto plain_file = scores_folder / "evaluation_plain.json";
  RankOutcome outcome;
  if (labelled && plan.post_processed()) {
    recipe::RankingPlan by_cosine;
    by_cosine.evaluate = plan.evaluate;
    outcome.plain_scores = ranking::evaluate_features(query, gallery, by_cosine, device, progress);
    file::write_atomically(plain_file,
                           [&](std::ostream& out) { out << ranking::scores_json(*outcome.plain_scores); });
    if (stop) return std::nullopt;
  } else {
    std::filesystem::remove(plain_file);  // of an earlier call with post-processors
  }
  if (plan.post_processed()) {
    auto input = ranking::read_search_input(query, gallery);
    const auto distances = ranking::post_process(plan, input, device, progress);
    if (stop) return std::nullopt;
    outcome.match = match_distances(input, distances, plan.ranking.top, rankings_folder, progress);
    // Merged queries are other queries than those that are ranked: they are post-processed by themselves.
    if (labelled && !plan.evaluate.multi_query) {
      outcome.scores = ranking::evaluate_distances(input, distances, plan.evaluate, progress);
    }
  } else {
    outcome.match = match_features(query, gallery, plan, plan.ranking.top, rankings_folder, device, progress);
  }
  if (stop) return std::nullopt;
  if (labelled) {
    if (!outcome.scores) outcome.scores = ranking::evaluate_features(query, gallery, plan, device, progress);
    ranking::write_scores(scores_folder, *outcome.scores);
  }
  return outcome;
}

}  // namespace kindred::stage
