// How good rankings are for parts of the data: pairs of cameras, and domains.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/metric.h"
#include "ranking/made_metric.h"
#include "results/evaluation.h"

namespace kindred::ranking {

/// Ranks within the gallery images of one camera.
struct CameraRanks {
  std::int64_t camera = unknown_camera;
  QueryRanks ranks;
};

/// What was found of a query.
struct JudgedQuery {
  std::int64_t matches = 0;            ///< right images; 0: it was not judged
  std::vector<QueryRanks> ranks;       ///< one, or one for each drawn gallery
  std::vector<CameraRanks> by_camera;  ///< empty where cameras are not known, and of drawn galleries
};

/// The gallery, taken apart by camera. Junk and images without a camera belong to none.
class GalleryCameras {
 public:
  explicit GalleryCameras(const std::vector<Sample>& gallery);

  /// The ranks of a query's right images among the images of their own camera, for each camera that has one,
  /// in order of the cameras' numbers.
  /// @param distances of the query to every gallery image; none is NaN
  /// @param matches gallery indices of its right images, ascending
  /// @param ignored gallery indices that are not ranked for this query
  [[nodiscard]] std::vector<CameraRanks> ranks(std::span<const float> distances,
                                               std::span<const std::int32_t> matches,
                                               std::span<const std::int32_t> ignored) const;

 private:
  std::vector<std::int64_t> camera_of_;                                     // of each gallery image
  std::vector<std::pair<std::int64_t, std::vector<std::int32_t>>> images_;  // by camera, ascending
};

/// What metrics say of each part.
/// @param metrics of ranks (Metric::judge())
/// @param queries all, in order
/// @param judged of each query
[[nodiscard]] results::PartScores part_scores(const std::vector<const MadeMetric*>& metrics,
                                              const std::vector<Sample>& queries,
                                              const std::vector<JudgedQuery>& judged);

}  // namespace kindred::ranking
