// MARS as its authors distribute it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::video {

/// What a file name of MARS says.
struct MarsName {
  std::string folder;         ///< its first four characters: "0001", "00-1"
  std::int64_t identity = 0;  ///< -1: junk, 0: distractor
  std::int64_t camera = 0;
};

/// Reads IIIICcTttttFfff.jpg, such as 0001C1T0001F016.jpg or, for junk, 00-1C1T0001F001.jpg; nothing when the
/// name is of another form.
[[nodiscard]] std::optional<MarsName> parse_mars_name(std::string_view name);

/// MARS (Zheng et al., ECCV 2016): frames in bbox_train/0001/ and bbox_test/0001/, and in info/ the lists of
/// their names (train_name.txt, test_name.txt), the tracklets (tracks_train_info.mat, tracks_test_info.mat:
/// rows of first frame, last frame, identity, camera) and which of those of testing are queries
/// (query_IDX.mat). The other test tracklets are the gallery; in it, identity -1 is junk, and those of
/// identity 0 are distractors. A tracklet is named after its first frame. Training or testing may be missing.
class Mars final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
  };
  static Schema<Params> schema();

  Mars(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain when the tracklets of training or of testing are there with their folder of frames.
  [[nodiscard]] Recognition recognize() const override;

 private:
  std::filesystem::path root_;
};

}  // namespace kindred::video
