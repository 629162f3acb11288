// Images whose names say whom they show.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace my_plugins {

/// ROOT/train, ROOT/query and ROOT/gallery hold images with names such as 0012_c3_0005.jpg: identity 12,
/// camera 3. What follows the camera is free.
class NamedFiles final : public kindred::Dataset {
 public:
  struct Params {
    std::filesystem::path root;
  };
  static kindred::Schema<Params> schema();

  NamedFiles(const Params& params, const Context& context);

  [[nodiscard]] std::vector<kindred::Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const kindred::Sample& sample) const override;
  [[nodiscard]] kindred::Recognition recognize() const override;

 private:
  Params params_;
};

}  // namespace my_plugins
