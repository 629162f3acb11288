// CUHK03 in the forms in which it is passed around.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::cuhk03 {

enum class Protocol { new_767, classic };

/// The view in PAIR_PERSON_VIEW_IMAGE, such as 1_001_2_07.png, which is its camera, 1 or 2; nothing when the
/// name is of another form.
[[nodiscard]] std::optional<std::int64_t> parse_cuhk03_camera(std::string_view name);

/// CUHK03 (Li et al., CVPR 2014) with boxes that a detector found or that people drew, in one of the forms
///   detected/{bounding_box_train,query,bounding_box_test}/0003_c1_21.png   the new protocol (CUHK03-NP)
///   images_detected/1_001_1_01.png with splits_new_detected.json or cuhk03_new_protocol_config_detected.mat
///   (the new protocol), or splits_classic_detected.json (the classic one, 20 splits)
/// and the same with "labeled". The new protocol (Zhong et al., CVPR 2017) has 767 people for training and
/// 700 for testing, the classic one 1,367 and 100: there each test image is both a query and in the gallery,
/// and figures are published for single gallery shots. The JSON files number the people of training from 0;
/// here those of testing follow.
class Cuhk03 final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    std::string images = "detected";
    Protocol protocol = Protocol::new_767;
    std::int64_t split = 1;
  };
  static Schema<Params> schema();

  Cuhk03(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain when one of the forms is there for the images that the parameters name, else no.
  [[nodiscard]] Recognition recognize() const override;

 private:
  [[nodiscard]] std::filesystem::path json_file() const;
  [[nodiscard]] std::filesystem::path mat_file() const;
  /// Of the form with folders for each split.
  [[nodiscard]] std::vector<Sample> folder_samples() const;
  [[nodiscard]] std::vector<Sample> json_samples() const;
  [[nodiscard]] std::vector<Sample> mat_samples() const;
  /// An image of a list.
  [[nodiscard]] Sample sample_of(const std::filesystem::path& list, const std::string& name,
                                 std::int64_t identity, Split split) const;
  [[nodiscard]] std::unordered_set<std::string> images_present() const;

  Params params_;
};

}  // namespace kindred::cuhk03
