// The NAIC competition's person re-identification data (2019).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::naic {

/// Training images with a list of identities, and one unlabeled test part:
///   train/image/NAME.png, train/label/train_list.txt with a line `train/NAME.png ID` for each image; any
///     folder before the name is ignored. The list may also be train/train_list.txt or train_list.txt, and
///     the images may lie in train/ itself. Images that the list does not name are not part of the data.
///   query_X/*.png, gallery_X/*.png, X one of a, b, A, B.
/// Cameras are unknown. Training or test may be missing.
class Naic final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    std::string part;
    std::map<std::string, std::int64_t> corrections;
  };
  static Schema<Params> schema();

  Naic(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain with a training list and a test part, likely with one of the two.
  [[nodiscard]] Recognition recognize() const override;

 private:
  void add_training(std::vector<Sample>& samples, const std::filesystem::path& list) const;
  void add_test(std::vector<Sample>& samples, const std::string& part) const;

  Params params_;
};

}  // namespace kindred::naic
