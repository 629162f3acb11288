#include "stage/evaluate.h"

#include "file/atomic_file.h"
#include "progress/meter.h"

namespace kindred {

Scores evaluate_distances(const SearchInput& input, const DistanceBlock& distances,
                          const EvaluateSettings& settings, ProgressSink& progress) {
  Meter meter(progress, "evaluate", static_cast<std::int64_t>(input.query.size()));
  const auto told = [&](std::int64_t first, std::int64_t last) {
    if (first > 0) meter.update(first);
    return distances(first, last);
  };
  auto scores = evaluate(input.query, input.gallery, told, settings.cameras, input.query_file);
  meter.update(scores.queries);
  meter.finish();
  return scores;
}

Scores evaluate_features(const std::filesystem::path& query_file, const std::filesystem::path& gallery_file,
                         const RankingPlan& plan, torch::Device device, ProgressSink& progress) {
  auto input = read_search_input(query_file, gallery_file);
  const auto distances = post_process(plan, input, device, progress);
  return evaluate_distances(input, distances, plan.evaluate, progress);
}

void write_scores(const std::filesystem::path& folder, const Scores& scores) {
  write_atomically(folder / "evaluation.json", [&](std::ostream& out) { out << scores_json(scores); });
  write_atomically(folder / "evaluation.txt", [&](std::ostream& out) { out << scores_text(scores); });
}

}  // namespace kindred
