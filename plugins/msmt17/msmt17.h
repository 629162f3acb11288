// MSMT17 as its authors distribute it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::msmt17 {

/// The camera in a name of MSMT17, the third number of 0000_000_01_0303morning_0008_0_ex.jpg; nothing when
/// the name is of another form.
[[nodiscard]] std::optional<std::int64_t> parse_msmt_camera(std::string_view name);

/// MSMT17 (Wei et al., CVPR 2018): list_train.txt, list_val.txt, list_query.txt and list_gallery.txt, with a
/// line `0000/0000_000_01_0303morning_0008_0_ex.jpg 0` for each image, and two folders of images: train and
/// test in version 1, mask_train_v2 and mask_test_v2 in version 2. The lists number the people of training
/// and of testing from 0 each; here those of testing follow those of training. Training lists or test lists
/// may be missing.
class Msmt17 final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    std::string train;
    std::string test;
    bool use_validation = false;
  };
  static Schema<Params> schema();

  Msmt17(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain when the lists of training or those of testing are there with their folder of images.
  [[nodiscard]] Recognition recognize() const override;

 private:
  Params params_;
};

}  // namespace kindred::msmt17
