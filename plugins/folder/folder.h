// Images of which nothing is known.
#pragma once

#include <filesystem>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::folder {

/// Every image below a folder, at any depth, as an unlabeled gallery without cameras, ordered by path; or
/// one image alone, by its file's name.
class Folder final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
  };
  static Schema<Params> schema();

  Folder(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// A fallback when there is an image at any depth: another layout that fits says more. Certain of a file
  /// that is an image.
  [[nodiscard]] Recognition recognize() const override;

 private:
  Params params_;
  bool is_file_ = false;
};

}  // namespace kindred::folder
