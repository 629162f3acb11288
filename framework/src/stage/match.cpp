#include "stage/match.h"

#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "file/feature_files.h"
#include "file/npy.h"
#include "file/sample_list.h"
#include "inference/equal_descriptors.h"
#include "kindred/core/error.h"
#include "progress/meter.h"
#include "ranking/ranking.h"
#include "results/matches_file.h"

namespace kindred::stage {
namespace {

void require_top(std::int64_t top) {
  if (top >= 1) return;
  throw Error("match: error: " + std::to_string(top) +
              " images requested for each query; request at least 1");
}

MatchOutcome write_matches(const ranking::Ranking& ranking, const std::vector<Sample>& query,
                           const std::vector<Sample>& gallery, const std::filesystem::path& folder,
                           const system::Ranks& ranks) {
  if (ranks.is_first()) ranking::write_matches(folder, ranking, query, gallery);
  return {folder / results::MatchesFiles::csv_name, folder / results::MatchesFiles::json_name,
          ranking.images.size(0), static_cast<std::int64_t>(gallery.size()), ranking.images.size(1)};
}

/// Blocks of 64 MB.
std::int64_t rows_at_a_time(std::int64_t gallery_size) {
  return std::max<std::int64_t>(1, (std::int64_t{16} << 20) / gallery_size);
}

struct QueryRows {
  torch::Tensor descriptors;
  const std::vector<Sample>& samples;
  const std::filesystem::path& file;
};

/// A gallery that may be larger than memory.
struct GalleryRows {
  const std::vector<Sample>& samples;
  std::int64_t dim;
  const std::filesystem::path& file;
  std::function<torch::Tensor(std::int64_t first, std::int64_t last)> read;
  std::vector<std::int64_t> part_ends{};  ///< RankingOptions::part_ends
};

MatchOutcome match_rows(const QueryRows& query, const GalleryRows& gallery, std::int64_t top,
                        const std::filesystem::path& folder, progress::ProgressSink& progress,
                        const system::Ranks& ranks) {
  file::require_unique_names(query.samples, query.file);
  file::require_unique_names(gallery.samples, gallery.file);
  const auto size = static_cast<std::int64_t>(gallery.samples.size());
  progress::Meter meter(progress, "match", size);
  ranking::RankingOptions options{.top = top, .ranks = ranks};
  options.query_name = query.file.string();
  options.gallery_name = gallery.file.string();
  options.part_ends = gallery.part_ends;
  options.progress = [&](std::int64_t done) { meter.update(done); };
  const auto ranking = ranking::rank_gallery(query.descriptors, size, gallery.dim, gallery.read, options);
  auto outcome = write_matches(ranking, query.samples, gallery.samples, folder, ranks);
  meter.finish();
  return outcome;
}

}  // namespace

MatchOutcome match_features(const std::filesystem::path& query_file,
                            const std::filesystem::path& gallery_file, const recipe::RankingPlan& plan,
                            std::int64_t top, const std::filesystem::path& folder, torch::Device device,
                            progress::ProgressSink& progress, const system::Ranks& ranks) {
  require_top(top);
  if (plan.post_processed()) {
    auto input = ranking::read_search_input(query_file, gallery_file, progress, ranks);
    const auto distances = ranking::post_process(plan, input, device, progress, ranks);
    return match_distances(input, distances, top, folder, progress, ranks);
  }
  const auto version = file::version_of_features(query_file);
  const auto query = file::read_features(query_file);
  const file::FeatureReader gallery(gallery_file);
  version.require_unchanged();
  const auto rows = [&](std::int64_t first, std::int64_t last) { return gallery.rows(first, last); };
  if (ranks.is_first()) {
    inference::warn_of_equal_descriptors(query.descriptors, "query", progress);
    inference::warn_of_equal_descriptors(gallery.size(), rows, "gallery", progress);
  }
  return match_rows({query.descriptors, query.samples, query_file},
                    {gallery.samples(), gallery.dim(), gallery_file, rows, gallery.array_ends()}, top, folder,
                    progress, ranks);
}

MatchOutcome match_by_cosine(const ranking::SearchInput& input, std::int64_t top,
                             const std::filesystem::path& folder, progress::ProgressSink& progress,
                             const system::Ranks& ranks) {
  require_top(top);
  const auto queries = static_cast<std::int64_t>(input.query.size());
  return match_rows({input.descriptors.slice(0, 0, queries), input.query, input.query_file},
                    {input.gallery, input.descriptors.size(1), input.gallery_file,
                     [&](std::int64_t first, std::int64_t last) {
                       return input.descriptors.slice(0, queries + first, queries + last);
                     }},
                    top, folder, progress, ranks);
}

MatchOutcome match_distances(const ranking::SearchInput& input, const DistanceBlock& distances,
                             std::int64_t top, const std::filesystem::path& folder,
                             progress::ProgressSink& progress, const system::Ranks& ranks) {
  require_top(top);
  file::require_unique_names(input.query, input.query_file);
  file::require_unique_names(input.gallery, input.gallery_file);
  const auto queries = static_cast<std::int64_t>(input.query.size());
  progress::Meter meter(progress, "match", queries);
  ranking::RankingOptions options{.top = top, .ranks = ranks};
  options.progress = [&](std::int64_t done) { meter.update(done); };
  const auto ranking = ranking::rank_by_distances(distances, queries,
                                                  static_cast<std::int64_t>(input.gallery.size()), options);
  auto outcome = write_matches(ranking, input.query, input.gallery, folder, ranks);
  meter.finish();
  return outcome;
}

void write_distances(const std::filesystem::path& file, const ranking::SearchInput& input,
                     const DistanceBlock& distances, progress::ProgressSink& progress,
                     const system::Ranks& ranks) {
  const auto queries = static_cast<std::int64_t>(input.query.size());
  const auto images = static_cast<std::int64_t>(input.gallery.size());
  const auto block = rows_at_a_time(images);
  progress::Meter meter(progress, "write distances", queries);
  // A block of each rank at a time.
  const auto of_all = [&](std::int64_t first, std::int64_t last) {
    meter.update(first);
    if (!ranks.are_many()) return distances(first, last);
    const auto begin = std::min(last, first + block * ranks.rank());
    const auto end = std::min(last, begin + block);
    return torch::cat(
        ranks.gather(begin == end ? torch::empty({0, images}) : distances(begin, end).contiguous()));
  };
  const auto at_a_time = block * ranks.count();
  if (ranks.is_first()) {
    file::write_npy(file, {queries, images}, torch::kFloat, at_a_time, of_all);
  } else {
    for (std::int64_t first = 0; first < queries; first += at_a_time) {
      static_cast<void>(of_all(first, std::min(queries, first + at_a_time)));
    }
  }
  meter.update(queries);
  meter.finish();
}

}  // namespace kindred::stage
