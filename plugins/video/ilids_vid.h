// i-LIDS-VID as its authors distribute it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::video {

/// i-LIDS-VID (Wang et al., ECCV 2014): sequences/cam1/person001/*.png and the same for cam2, one tracklet of
/// each person and camera. Half of the people are tested, and the others are trained on; of those who are
/// tested, the tracklets of cam1 are the queries and those of cam2 the gallery. Which half it is say the ten
/// splits of train_test_splits_ilidsvid.mat (ls_set: in each row first the places of those who are tested).
/// Without the file, split n is a half drawn by lot, the same on every machine.
class IlidsVid final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    std::int64_t split = 1;
  };
  static Schema<Params> schema();

  IlidsVid(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain when sequences/cam1 and sequences/cam2 are there.
  [[nodiscard]] Recognition recognize() const override;

 private:
  /// Relative to root: "sequences", or "i-LIDS-VID/sequences" in a folder that holds the splits as well; ""
  /// when there is none.
  [[nodiscard]] std::filesystem::path sequences() const;
  /// train_test_splits_ilidsvid.mat; "" when it is not there.
  [[nodiscard]] std::filesystem::path splits_file() const;
  /// Whether each of so many people, in the order of their folders, is tested.
  [[nodiscard]] std::vector<bool> tested(std::size_t people) const;

  Params params_;
};

}  // namespace kindred::video
