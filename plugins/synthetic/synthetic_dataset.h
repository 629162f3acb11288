// Dataset "synthetic": pedestrians drawn by code, so that everything runs without a download.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "camera.h"
#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"
#include "picture.h"

namespace kindred::synthetic {

/// Every image is drawn when it is asked for, from the parameters and the sample's path alone; the same
/// parameters give the same data set. Nothing is kept but the list of samples and the cameras' scenes.
///
/// Paths read as Market-1501's names: `train/0012_c3_0005.png` is the fifth image of identity 12, by
/// camera 3. Identities of the training split are 1..train_identities, those of the test follow. Distractors
/// are strangers in the gallery, seen once each; they have identity 0. Every query has a gallery image of
/// another camera. With more than one frame each image is a tracklet: `train/0012_c3_0005_002.png` is the
/// second frame of 0012_c3_0005.
class SyntheticDataset final : public Dataset {
 public:
  struct Params {
    std::int64_t train_identities = 200;
    std::int64_t test_identities = 100;
    std::int64_t min_images = 6;
    std::int64_t max_images = 14;
    std::int64_t frames = 1;
    std::int64_t cameras = 6;
    std::optional<std::int64_t> cameras_per_identity;
    std::int64_t distractors = 100;
    double violet_share = 0.25;
    double difficulty = 0.6;
    std::int64_t height = 128;
    std::int64_t width = 64;
    std::int64_t seed = 1;
  };
  static Schema<Params> schema();

  SyntheticDataset(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override { return samples_; }
  /// CV_8UC3, RGB, height x width. What was said of a sample since (its identity, its split) changes nothing:
  /// its path tells which picture it is.
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;

 private:
  /// What a path stands for.
  struct Subject {
    std::uint64_t person;  ///< key of the appearance's stream
    std::uint64_t family;
    std::int64_t camera;
    std::int64_t number;
    synthetic::Domain domain;
    std::int64_t frame = 0;
  };

  void add_identity(std::int64_t identity, bool test, synthetic::Domain domain);
  void add_distractor(std::int64_t number, synthetic::Domain domain);
  /// All its frames.
  void add(Split split, std::int64_t identity, Subject subject);

  Params params_;
  std::vector<synthetic::Camera> cameras_;
  std::vector<Sample> samples_;
  std::unordered_map<std::string, Subject> subjects_;
};

}  // namespace kindred::synthetic
