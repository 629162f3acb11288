// PRCC as its authors distribute it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::cloth_changing {

/// PRCC (Yang et al., TPAMI 2021), the photographs in the folder rgb:
///   train/PERSON/A_cropped_rgb041.jpg   the camera, A, B or C, is the first letter; val alike
///   test/A/PERSON/cropped_rgb001.jpg    A is the gallery, B and C are queries
/// Each person wears the same clothes (0) under A and B and others (1) under C. Cameras are 1, 2 and 3.
/// Training or testing may be missing.
class Prcc final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    bool use_validation = false;
  };
  static Schema<Params> schema();

  Prcc(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain with folders of training and of testing, likely with test/A and queries alone.
  [[nodiscard]] Recognition recognize() const override;

 private:
  /// "rgb/", or "" when root is that folder itself.
  [[nodiscard]] std::string prefix() const;
  void add_people(std::vector<Sample>& samples, const std::string& folder, Split split, char camera) const;

  Params params_;
};

}  // namespace kindred::cloth_changing
