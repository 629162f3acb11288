#include "ranking/part_scores.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>

#include "ranking/match_ranks.h"

namespace kindred::ranking {
namespace {

/// A metric that is asked of parts, and which of its figures are shown.
struct AskedMetric {
  const MadeMetric* metric;
  std::vector<std::size_t> figures;
};

/// Rankings of a part, of so many queries.
struct PartRanks {
  std::int64_t queries = 0;
  std::vector<QueryRanks> ranks;
};

results::PartScores::Part scores_of(const std::vector<AskedMetric>& metrics, std::string query,
                                    std::string gallery, const PartRanks& of_part) {
  results::PartScores::Part part{std::move(query), std::move(gallery), of_part.queries, {}};
  for (const auto& [made, figures] : metrics) {
    auto result = made->metric->judge(of_part.ranks);
    check_result(*made, of_part.ranks.size(), result);
    for (const auto figure : figures) part.values.push_back(result.values[figure]);
  }
  return part;
}

}  // namespace

GalleryCameras::GalleryCameras(const std::vector<Sample>& gallery) {
  std::map<std::int64_t, std::vector<std::int32_t>> images;
  camera_of_.reserve(gallery.size());
  for (std::size_t i = 0; i < gallery.size(); ++i) {
    const bool ranked = gallery[i].identity != junk_identity && gallery[i].camera >= 0;
    camera_of_.push_back(ranked ? gallery[i].camera : unknown_camera);
    if (ranked) images[gallery[i].camera].push_back(static_cast<std::int32_t>(i));
  }
  images_.assign(images.begin(), images.end());
}

std::vector<CameraRanks> GalleryCameras::ranks(std::span<const float> distances,
                                               std::span<const std::int32_t> matches,
                                               std::span<const std::int32_t> ignored) const {
  std::map<std::int64_t, std::vector<std::int32_t>> right;
  for (const auto match : matches) {
    if (const auto camera = camera_of_[static_cast<std::size_t>(match)]; camera != unknown_camera) {
      right[camera].push_back(match);
    }
  }
  std::vector<std::int32_t> left_out(ignored.begin(), ignored.end());
  std::sort(left_out.begin(), left_out.end());
  std::vector<CameraRanks> result;
  std::vector<float> part;
  auto all = images_.begin();
  for (const auto& [camera, right_images] : right) {
    while (all->first != camera) ++all;
    part.clear();
    std::vector<std::int32_t> places;  // of the right images in the part
    auto next = right_images.begin();
    for (const auto image : all->second) {
      if (std::binary_search(left_out.begin(), left_out.end(), image)) continue;
      if (next != right_images.end() && *next == image) {
        places.push_back(static_cast<std::int32_t>(part.size()));
        ++next;
      }
      part.push_back(distances[static_cast<std::size_t>(image)]);
    }
    result.push_back({camera, {match_ranks(part, places, {}), static_cast<std::int64_t>(part.size())}});
  }
  return result;
}

results::PartScores part_scores(const std::vector<const MadeMetric*>& metrics,
                                const std::vector<Sample>& queries, const std::vector<JudgedQuery>& judged) {
  results::PartScores scores;
  std::vector<AskedMetric> asked;
  for (const auto* metric : metrics) {
    auto& one = asked.emplace_back(AskedMetric{metric, {}});
    for (std::size_t i = 0; i < metric->figures.size(); ++i) {
      if (metric->figures[i].prominence == Prominence::detail) continue;
      one.figures.push_back(i);
      scores.figures.push_back(metric->figures[i]);
    }
  }
  if (scores.figures.empty()) return {};

  std::map<std::pair<std::int64_t, std::int64_t>, PartRanks> pairs;
  std::map<std::string, PartRanks> domains;
  for (std::size_t q = 0; q < judged.size(); ++q) {
    for (const auto& one : judged[q].by_camera) {
      auto& pair = pairs[{queries[q].camera, one.camera}];
      ++pair.queries;
      pair.ranks.push_back(one.ranks);
    }
    if (judged[q].ranks.empty() || queries[q].domain.empty()) continue;
    auto& domain = domains[queries[q].domain];
    ++domain.queries;
    domain.ranks.insert(domain.ranks.end(), judged[q].ranks.begin(), judged[q].ranks.end());
  }
  if (pairs.size() > 1) {
    for (const auto& [cameras, of_pair] : pairs) {
      scores.camera_pairs.push_back(
          scores_of(asked, std::to_string(cameras.first), std::to_string(cameras.second), of_pair));
    }
  }
  if (domains.size() > 1) {
    for (const auto& [domain, of_domain] : domains) {
      scores.domains.push_back(scores_of(asked, domain, "", of_domain));
    }
  }
  return scores;
}

}  // namespace kindred::ranking
