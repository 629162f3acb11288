// PKU VehicleID as its authors distribute it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::vehicles {

/// VehicleID (Liu et al., CVPR 2016): the folder image, and lists in train_test_split with a line `NAME ID`
/// for each image, without the ending .jpg. Cameras are unknown.
///
/// The gallery of a test list is one image of each vehicle, drawn by `gallery_seed`, and the queries are all
/// others. With gallery_seed = 0 each image is both, for evaluations that draw galleries themselves
/// ([evaluate] single_gallery_shot). Training list or test list may be missing.
class VehicleId final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    std::string images = "image";
    std::string lists = "train_test_split";
    std::string test_list = "test_list_800.txt";
    std::int64_t gallery_seed = 1;
  };
  static Schema<Params> schema();

  VehicleId(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain with the training list, the test list and the folder of images, likely with one of the lists.
  [[nodiscard]] Recognition recognize() const override;

 private:
  /// All images of a list, as training images.
  [[nodiscard]] std::vector<Sample> listed(const std::string& list) const;

  Params params_;
};

}  // namespace kindred::vehicles
