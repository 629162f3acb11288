// Images as the loader and the service decode them.
#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "kindred/image/decode.h"
#include "kindred/image/file_content.h"
#include "kindred/image/image.h"
#include "target/targets.h"

namespace kindred::fuzz {
namespace {

constexpr std::int64_t most_pixels = 1 << 20;  // else a run is of nothing but large images

bool accepts_image(const std::string& bytes) {
  set_pixel_limit(most_pixels);
  const std::vector<std::uint8_t> content(bytes.begin(), bytes.end());
  return passes([&] {
    const auto image = decode_image(content, "image");
    require(image.type() == CV_8UC3 && !image.empty(), "a decoded image is not of three channels of 8 bits");
    require(static_cast<std::int64_t>(image.rows) * image.cols <= most_pixels,
            "the limit of pixels is passed");
    require(content_of(content).kind == ContentKind::image, "what was decoded is not known as an image");
  });
}

std::vector<std::string> image_seeds() {
  cv::Mat color(12, 7, CV_8UC3);
  for (int row = 0; row < color.rows; ++row) {
    for (int column = 0; column < color.cols; ++column) {
      color.at<cv::Vec3b>(row, column) =
          cv::Vec3b(static_cast<std::uint8_t>(20 * row), static_cast<std::uint8_t>(30 * column), 90);
    }
  }
  cv::Mat gray;
  cv::extractChannel(color, gray, 0);
  cv::Mat deep;
  color.convertTo(deep, CV_16U, 257);
  std::vector<std::string> seeds;
  const auto add = [&](const std::string& ending, const cv::Mat& image, const std::vector<int>& how = {}) {
    std::vector<std::uint8_t> bytes;
    if (cv::haveImageWriter(ending) && cv::imencode(ending, image, bytes, how)) {
      seeds.emplace_back(bytes.begin(), bytes.end());
    }
  };
  add(".jpg", color);
  add(".jpg", gray);
  add(".jpg", color, {cv::IMWRITE_JPEG_PROGRESSIVE, 1, cv::IMWRITE_JPEG_RST_INTERVAL, 1});
  add(".ppm", color);
  add(".ppm", deep);
  add(".pgm", gray);
  for (const auto* ending : {".png", ".tif"}) {
    add(ending, color);
    add(ending, gray);
    add(ending, deep);
  }
  for (const auto* ending : {".bmp", ".webp", ".ras"}) add(ending, color);
  // JPEG 2000 wants 32 pixels in a side.
  cv::Mat large;
  cv::repeat(color, 3, 5, large);
  add(".jp2", large);
  seeds.push_back(content_of_file(std::string(KINDRED_FUZZ_GOLDEN) + "/cmyk.jpg"));
  return seeds;
}

}  // namespace

void add_image_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"image", accepts_image, image_seeds});
}

}  // namespace kindred::fuzz
