#include "stage/match.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "file/feature_files.h"
#include "kindred/error.h"
#include "progress/meter.h"
#include "ranking/ranking.h"

namespace kindred {
namespace {

/// The result speaks of images by name. Names are compared by their hashes first: a million of them are then
/// 16 MB to sort, and not a table of nodes.
void require_unique_names(const std::vector<Sample>& samples, const std::filesystem::path& file) {
  std::vector<std::pair<std::size_t, std::size_t>> hashes;  // and rows
  hashes.reserve(samples.size());
  for (const auto& sample : samples) {
    hashes.emplace_back(std::hash<std::string>()(sample.path), hashes.size());
  }
  std::sort(hashes.begin(), hashes.end());
  for (auto one = hashes.begin(); one != hashes.end(); ++one) {
    for (auto other = one + 1; other != hashes.end() && other->first == one->first; ++other) {
      if (samples[one->second].path != samples[other->second].path) continue;
      throw DataError(file, "rows " + std::to_string(one->second) + " and " + std::to_string(other->second) +
                                " (from 0) are both named '" + samples[one->second].path +
                                "': the list of matches could not tell them apart; give each row a "
                                "name of its own in the CSV file");
    }
  }
}

}  // namespace

MatchOutcome match_features(const std::filesystem::path& query_file,
                            const std::filesystem::path& gallery_file, std::int64_t top,
                            const std::filesystem::path& folder, ProgressSink& progress) {
  if (top < 1) {
    throw Error("match: error: " + std::to_string(top) +
                " images were asked for each query; allowed are whole numbers from 1");
  }
  const auto query = read_features(query_file);
  const FeatureReader gallery(gallery_file);
  require_unique_names(query.samples, query_file);
  require_unique_names(gallery.samples(), gallery_file);

  Meter meter(progress, "match", gallery.size());
  RankingOptions options;
  options.top = top;
  options.query_name = query_file.string();
  options.gallery_name = gallery_file.string();
  options.progress = [&](std::int64_t done) { meter.update(done); };
  const auto ranking = rank_gallery(
      query.descriptors, gallery.size(), gallery.width(),
      [&](std::int64_t first, std::int64_t last) { return gallery.rows(first, last); }, options);

  MatchOutcome outcome{folder / "matches.csv", folder / "matches.json", query.descriptors.size(0),
                       gallery.size(), ranking.images.size(1)};
  write_ranking_csv(outcome.csv, ranking, query.samples, gallery.samples());
  write_ranking_json(outcome.json, ranking, query.samples, gallery.samples());
  meter.finish();
  return outcome;
}

}  // namespace kindred
