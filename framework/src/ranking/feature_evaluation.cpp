#include "ranking/feature_evaluation.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "inference/equal_descriptors.h"
#include "progress/meter.h"
#include "ranking/evaluation.h"
#include "ranking/multi_query.h"
#include "ranking/same_images.h"
#include "ranking/similarity.h"

namespace kindred::ranking {

namespace {

results::Evaluation judge(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                          const DistanceBlock& distances, DistanceScale scale,
                          const recipe::EvaluationPlan& plan, progress::ProgressSink& progress,
                          const std::filesystem::path& place, const SameImages& same,
                          const system::Ranks& ranks, std::int64_t distance_bytes = usual_distance_bytes) {
  progress::Meter meter(progress, "evaluate", static_cast<std::int64_t>(query.size()));
  const auto told = [&](std::int64_t first, std::int64_t last) {
    if (first > 0) meter.update(first);
    return distances(first, last);
  };
  auto evaluation = evaluate(query, gallery, told, scale, plan, place, same, ranks, distance_bytes);
  meter.update(evaluation.queries);
  meter.finish();
  return evaluation;
}

void say_merged(results::Evaluation& evaluation, std::size_t images) {
  evaluation.multi_query = true;
  evaluation.note = std::to_string(images) + " query images merged by identity, camera and clothes" +
                    (evaluation.note.empty() ? "" : "; " + evaluation.note);
}

/// A gallery of several arrays is read for each block of queries anew: the more of them at a time, the less
/// often.
constexpr std::int64_t distance_bytes_of_shards = std::int64_t{1} << 30;

results::Evaluation evaluate_shards(const std::filesystem::path& query_file,
                                    const std::filesystem::path& gallery_file,
                                    const recipe::EvaluationPlan& plan, torch::Device device,
                                    progress::ProgressSink& progress, const system::Ranks& ranks) {
  const auto version = file::version_of_features(query_file);
  auto query = file::read_features(query_file);
  const file::FeatureReader gallery(gallery_file);
  version.require_unchanged();
  const auto rows = [&](std::int64_t first, std::int64_t last) { return gallery.rows(first, last); };
  if (query.descriptors.size(1) != gallery.dim()) {
    throw dim_mismatch(query_file.string(), query.descriptors.size(1), gallery_file.string(), gallery.dim());
  }
  if (ranks.is_first()) {
    inference::warn_of_equal_descriptors(query.descriptors, "query", progress);
    inference::warn_of_equal_descriptors(gallery.size(), rows, "gallery", progress);
  }
  auto same = same_images(query.samples, query.descriptors, gallery.samples(),
                          [&](std::int64_t row) { return rows(row, row + 1)[0]; });
  const auto images = query.samples.size();
  if (plan.evaluate.multi_query) {
    auto merged = merge_queries(query, query_file.string());
    same = merge_same_images(same, query.samples, merged.samples);
    query = std::move(merged);
  }
  auto evaluation =
      judge(query.samples, gallery.samples(),
            streamed_cosine_distances(query.descriptors, gallery.size(), gallery.dim(), rows,
                                      query_file.string(), gallery_file.string(), device),
            DistanceScale::cosine, plan, progress, query_file, same, ranks, distance_bytes_of_shards);
  if (plan.evaluate.multi_query) say_merged(evaluation, images);
  return evaluation;
}

}  // namespace

results::Evaluation evaluate_features(const file::Features& query, const file::Features& gallery,
                                      const recipe::EvaluationPlan& plan, progress::ProgressSink& progress,
                                      const std::string& query_name, const std::string& gallery_name,
                                      torch::Device device, const system::Ranks& ranks) {
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
            DistanceScale::cosine, plan, progress, query_name, same, ranks);
  if (merged) say_merged(evaluation, query.samples.size());
  return evaluation;
}

results::Evaluation evaluate_distances(const SearchInput& input, const DistanceBlock& distances,
                                       const recipe::EvaluationPlan& plan, progress::ProgressSink& progress,
                                       const system::Ranks& ranks) {
  return judge(input.query, input.gallery, distances, DistanceScale::other, plan, progress, input.query_file,
               input.same_images, ranks);
}

results::Evaluation evaluate_search(SearchInput input, const recipe::RankingPlan& plan, torch::Device device,
                                    progress::ProgressSink& progress, const system::Ranks& ranks) {
  const auto queries = static_cast<std::int64_t>(input.query.size());
  file::Features query{input.descriptors.slice(0, 0, queries), std::move(input.query)};
  const auto gallery = input.descriptors.slice(0, queries);
  if (!plan.post_processed()) {
    return evaluate_features(query, {gallery, std::move(input.gallery)}, plan, progress,
                             input.query_file.string(), input.gallery_file.string(), device, ranks);
  }
  if (plan.evaluate.multi_query) {
    auto merged = merge_queries(query, input.query_file.string());
    input.same_images = merge_same_images(input.same_images, query.samples, merged.samples);
    input.merged_from = std::move(query.samples);
    query = std::move(merged);
    input.descriptors = torch::cat({query.descriptors, gallery});
  }
  input.query = std::move(query.samples);
  const auto distances = post_process(plan, input, device, progress, ranks);
  auto evaluation = evaluate_distances(input, distances, plan, progress, ranks);
  if (plan.evaluate.multi_query) say_merged(evaluation, static_cast<std::size_t>(queries));
  return evaluation;
}

results::Evaluation evaluate_features(const std::filesystem::path& query_file,
                                      const std::filesystem::path& gallery_file,
                                      const recipe::RankingPlan& plan, torch::Device device,
                                      progress::ProgressSink& progress, const system::Ranks& ranks) {
  if (!plan.post_processed() && file::has_sharded_features(gallery_file)) {
    return evaluate_shards(query_file, gallery_file, plan, device, progress, ranks);
  }
  return evaluate_search(read_search_input(query_file, gallery_file, progress, ranks), plan, device, progress,
                         ranks);
}

}  // namespace kindred::ranking
