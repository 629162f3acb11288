#include "ranking/feature_evaluation.h"

#include <cstdint>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "file/atomic_file.h"
#include "progress/meter.h"
#include "ranking/multi_query.h"

namespace kindred::ranking {

namespace {

Scores judge(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
             const DistanceBlock& distances, const recipe::EvaluateSettings& settings,
             progress::ProgressSink& progress, const std::filesystem::path& place) {
  progress::Meter meter(progress, "evaluate", static_cast<std::int64_t>(query.size()));
  const auto told = [&](std::int64_t first, std::int64_t last) {
    if (first > 0) meter.update(first);
    return distances(first, last);
  };
  auto scores = evaluate(query, gallery, told, settings, place);
  meter.update(scores.queries);
  meter.finish();
  return scores;
}

void say_merged(Scores& scores, std::size_t images) {
  scores.multi_query = true;
  scores.note = std::to_string(images) + " query images merged by identity and camera" +
                (scores.note.empty() ? "" : "; " + scores.note);
}

}  // namespace

Scores evaluate_features(const file::Features& query, const file::Features& gallery,
                         const recipe::EvaluateSettings& settings, progress::ProgressSink& progress,
                         const std::string& query_name, const std::string& gallery_name) {
  std::optional<file::Features> merged;
  if (settings.multi_query) merged = merge_queries(query, query_name);
  const auto& queries = merged ? *merged : query;
  auto scores = judge(queries.samples, gallery.samples,
                      cosine_distances(queries.descriptors, gallery.descriptors, query_name, gallery_name),
                      settings, progress, query_name);
  scores.cosine = true;
  if (merged) say_merged(scores, query.samples.size());
  return scores;
}

Scores evaluate_distances(const SearchInput& input, const DistanceBlock& distances,
                          const recipe::EvaluateSettings& settings, progress::ProgressSink& progress) {
  return judge(input.query, input.gallery, distances, settings, progress, input.query_file);
}

Scores evaluate_features(const std::filesystem::path& query_file, const std::filesystem::path& gallery_file,
                         const recipe::RankingPlan& plan, torch::Device device,
                         progress::ProgressSink& progress) {
  if (!plan.post_processed()) {
    return evaluate_features(file::read_features(query_file), file::read_features(gallery_file),
                             plan.evaluate, progress, query_file.string(), gallery_file.string());
  }
  auto input = read_search_input(query_file, gallery_file);
  const auto images = input.query.size();
  if (plan.evaluate.multi_query) {
    const auto gallery = input.descriptors.slice(0, static_cast<std::int64_t>(images));
    auto merged = merge_queries(
        {input.descriptors.slice(0, 0, static_cast<std::int64_t>(images)), input.query}, query_file.string());
    input.descriptors = torch::cat({merged.descriptors, gallery});
    input.query = std::move(merged.samples);
  }
  const auto distances = post_process(plan, input, device, progress);
  auto scores = evaluate_distances(input, distances, plan.evaluate, progress);
  if (plan.evaluate.multi_query) say_merged(scores, images);
  return scores;
}

void write_query_scores(const std::filesystem::path& file, const Scores& scores) {
  file::write_atomically(file, [&](std::ostream& out) { write_queries_csv(out, scores); });
}

void write_scores(const std::filesystem::path& folder, const Scores& scores) {
  file::write_atomically(folder / "evaluation.json", [&](std::ostream& out) { out << scores_json(scores); });
  file::write_atomically(folder / "evaluation.txt", [&](std::ostream& out) { out << scores_text(scores); });
  file::write_atomically(folder / "roc.csv", [&](std::ostream& out) { write_roc_csv(out, scores.open_set); });
  write_query_scores(folder / "per_query.csv", scores);
}

}  // namespace kindred::ranking
