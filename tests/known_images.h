// A data set of which everything that may be known of an image is a parameter.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/core/schema.h"
#include "kindred/role/dataset.h"

namespace kindred::test {

/// Two images, the second for training; what is known of the first is asked for.
class KnownImages : public Dataset {
 public:
  struct Params {
    std::string path = "a.png";
    std::int64_t identity = 1;
    std::int64_t camera = 1;
    std::string domain;
    std::int64_t clothes = unknown_clothes;
    std::int64_t view = unknown_view;
    std::string tracklet;
    Split split = Split::train;
  };
  static Schema<Params> schema() {
    Schema<Params> s("Two images.");
    s.add("path", &Params::path, "its name");
    s.add("identity", &Params::identity, "whose");
    s.add("camera", &Params::camera, "which");
    s.add("domain", &Params::domain, "where");
    s.add("clothes", &Params::clothes, "which").at_least(-1);
    s.add("view", &Params::view, "which").at_least(-1);
    s.add("tracklet", &Params::tracklet, "of which");
    s.add("split", &Params::split, "of which",
          {{"train", Split::train}, {"query", Split::query}, {"gallery", Split::gallery}});
    return s;
  }
  KnownImages(Params params, const Context&) : params_(std::move(params)) {}
  [[nodiscard]] std::vector<Sample> samples() const override {
    Sample first{params_.path, params_.identity, params_.camera, params_.domain, params_.split};
    first.clothes = params_.clothes;
    first.view = params_.view;
    first.tracklet = params_.tracklet;
    return {first, {"z.png", 9, 1, "", Split::train}};
  }
  [[nodiscard]] cv::Mat image(const Sample&) const override { return {16, 8, CV_8UC3, cv::Scalar::all(100)}; }

 private:
  Params params_;
};

}  // namespace kindred::test
