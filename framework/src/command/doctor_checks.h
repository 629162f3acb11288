// The parts of examine() in doctor.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "command/doctor.h"

namespace kindred::command {

/// Counts; leaves `sizes` empty.
[[nodiscard]] std::vector<SplitFigures> split_figures(const std::vector<Sample>& samples);
[[nodiscard]] MatchFigures match_figures(const std::vector<Sample>& images);

/// The images that evaluation asks for cameras: queries of identities that the gallery has, and the gallery
/// images of these.
[[nodiscard]] std::vector<const Sample*> compared_samples(const std::vector<Sample>& samples);

/// The gallery images of a query's identity. The query itself, which the gallery may hold, too, is none of
/// them: evaluation leaves it out (evaluate.exclude_same_image).
class GalleryAnswers {
 public:
  /// @param samples one of each tracklet; must outlive it
  explicit GalleryAnswers(const std::vector<Sample>& samples);

  [[nodiscard]] std::int64_t all(const Sample& query) const;
  [[nodiscard]] std::int64_t of_other_cameras(const Sample& query) const;

 private:
  std::unordered_map<std::int64_t, std::map<std::int64_t, std::int64_t>> counts_;  ///< by identity and camera
  std::unordered_set<std::string_view> paths_;
};

/// Images below `root`, or beside it when it is a file, that are none of the samples.
[[nodiscard]] std::vector<UnusedImages> unused_images(const std::vector<Sample>& samples,
                                                      const std::filesystem::path& root);

/// Reads every image: fills in `unreadable`, `duplicates` and the sizes of the splits.
void examine_pixels(const Dataset& dataset, const std::vector<Sample>& samples, progress::ProgressSink* sink,
                    DoctorReport& report);

/// What follows from everything else in the report.
[[nodiscard]] std::vector<Finding> findings(const std::vector<Sample>& samples, const DoctorReport& report);

}  // namespace kindred::command
