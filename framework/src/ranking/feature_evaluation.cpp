#include "ranking/feature_evaluation.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "progress/meter.h"
#include "ranking/evaluation.h"
#include "ranking/multi_query.h"
#include "ranking/same_images.h"

namespace kindred::ranking {

namespace {

results::Evaluation judge(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                          const DistanceBlock& distances, DistanceScale scale,
                          const recipe::EvaluationPlan& plan, progress::ProgressSink& progress,
                          const std::filesystem::path& place, const SameImages& same) {
  progress::Meter meter(progress, "evaluate", static_cast<std::int64_t>(query.size()));
  const auto told = [&](std::int64_t first, std::int64_t last) {
    if (first > 0) meter.update(first);
    return distances(first, last);
  };
  auto evaluation = evaluate(query, gallery, told, scale, plan, place, same);
  meter.update(evaluation.queries);
  meter.finish();
  return evaluation;
}

void say_merged(results::Evaluation& evaluation, std::size_t images) {
  evaluation.multi_query = true;
  evaluation.note = std::to_string(images) + " query images merged by identity and camera" +
                    (evaluation.note.empty() ? "" : "; " + evaluation.note);
}

}  // namespace

results::Evaluation evaluate_features(const file::Features& query, const file::Features& gallery,
                                      const recipe::EvaluationPlan& plan, progress::ProgressSink& progress,
                                      const std::string& query_name, const std::string& gallery_name,
                                      torch::Device device) {
  auto same = same_images(query.samples, query.descriptors, gallery.samples, gallery.descriptors);
  std::optional<file::Features> merged;
  if (plan.evaluate.multi_query) {
    merged = merge_queries(query, query_name);
    same = merge_same_images(same, query.samples, merged->samples);
  }
  const auto& queries = merged ? *merged : query;
  auto evaluation =
      judge(queries.samples, gallery.samples,
            cosine_distances(queries.descriptors, gallery.descriptors, query_name, gallery_name, device),
            DistanceScale::cosine, plan, progress, query_name, same);
  if (merged) say_merged(evaluation, query.samples.size());
  return evaluation;
}

results::Evaluation evaluate_distances(const SearchInput& input, const DistanceBlock& distances,
                                       const recipe::EvaluationPlan& plan, progress::ProgressSink& progress) {
  return judge(input.query, input.gallery, distances, DistanceScale::other, plan, progress, input.query_file,
               input.same_images);
}

results::Evaluation evaluate_search(SearchInput input, const recipe::RankingPlan& plan, torch::Device device,
                                    progress::ProgressSink& progress) {
  const auto queries = static_cast<std::int64_t>(input.query.size());
  file::Features query{input.descriptors.slice(0, 0, queries), std::move(input.query)};
  const auto gallery = input.descriptors.slice(0, queries);
  if (!plan.post_processed()) {
    return evaluate_features(query, {gallery, std::move(input.gallery)}, plan, progress,
                             input.query_file.string(), input.gallery_file.string(), device);
  }
  if (plan.evaluate.multi_query) {
    auto merged = merge_queries(query, input.query_file.string());
    input.same_images = merge_same_images(input.same_images, query.samples, merged.samples);
    query = std::move(merged);
    input.descriptors = torch::cat({query.descriptors, gallery});
  }
  input.query = std::move(query.samples);
  const auto distances = post_process(plan, input, device, progress);
  auto evaluation = evaluate_distances(input, distances, plan, progress);
  if (plan.evaluate.multi_query) say_merged(evaluation, static_cast<std::size_t>(queries));
  return evaluation;
}

results::Evaluation evaluate_features(const std::filesystem::path& query_file,
                                      const std::filesystem::path& gallery_file,
                                      const recipe::RankingPlan& plan, torch::Device device,
                                      progress::ProgressSink& progress) {
  return evaluate_search(read_search_input(query_file, gallery_file), plan, device, progress);
}

}  // namespace kindred::ranking
