// Images as the loader and the service decode them.
#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "kindred/image/decode.h"
#include "kindred/image/file_content.h"
#include "kindred/image/image.h"
#include "made_image_files.h"
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
  cv::Mat clear;
  cv::cvtColor(color, clear, cv::COLOR_BGR2BGRA);
  clear.row(3).setTo(cv::Scalar(1, 2, 3, 0));
  cv::Mat light;
  color.convertTo(light, CV_32F, 1 / 100.0);
  std::vector<std::string> seeds;
  // Nothing where this OpenCV does not write the format.
  const auto add = [&](const std::string& bytes) {
    if (!bytes.empty()) seeds.push_back(bytes);
  };
  const auto encoded = [](const std::string& ending, const cv::Mat& image, const std::vector<int>& how = {}) {
    std::vector<std::uint8_t> bytes;
    const bool written = cv::haveImageWriter(ending) && cv::imencode(ending, image, bytes, how);
    return written ? std::string(bytes.begin(), bytes.end()) : std::string();
  };
  add(encoded(".jpg", gray));
  add(encoded(".jpg", color, {cv::IMWRITE_JPEG_PROGRESSIVE, 1, cv::IMWRITE_JPEG_RST_INTERVAL, 1}));
  add(encoded(".ppm", color));
  add(encoded(".ppm", deep));
  add(encoded(".pgm", gray));
  for (const auto* ending : {".png", ".tif"}) {
    for (const auto& image : {color, gray, deep, clear}) add(encoded(ending, image));
  }
  for (const auto* ending : {".bmp", ".webp", ".ras"}) add(encoded(ending, color));
  add(encoded(".webp", clear));
  add(encoded(".hdr", light));
  // JPEG 2000 wants 32 pixels in a side.
  cv::Mat large;
  cv::repeat(color, 3, 5, large);
  add(encoded(".jp2", large));
  add(content_of_file(std::string(KINDRED_FUZZ_GOLDEN) + "/cmyk.jpg"));
  // Turned, one way after the other.
  const auto jpeg = encoded(".jpg", color);
  add(jpeg);
  add(test::jpeg_with_exif(jpeg, 6));
  add(test::png_with_exif(encoded(".png", color), 3));
  if (const auto webp = encoded(".webp", color); !webp.empty()) {
    add(test::webp_with_exif(webp, color.cols, color.rows, test::exif_data(5)));
  }
  const std::string pixels(color.datastart, color.dataend);
  const int width = color.cols;
  const int height = color.rows;
  add(test::MadeTiff{.width = width, .height = height, .pixels = pixels, .orientation = 8}.bytes());
  add(test::MadeTiff{.width = width,
                     .height = height,
                     .pixels = std::string(static_cast<std::size_t>(4 * width * height), '\x40'),
                     .samples = 4,
                     .photometric = 5}
          .bytes());
  // Of a palette of four colors, four pixels in a byte, one transparent; and of single bits.
  add(test::made_png(4, 2, 3, {"\x1B", "\xE4"},
                     test::png_chunk("PLTE", std::string("\xFF\0\0\0\xFF\0\0\0\xFF\x09\x08\x07", 12)) +
                         test::png_chunk("tRNS", std::string(1, '\0'))));
  add(test::made_png(8, 1, 0, {"\xA5", "\x0F"}));
  return seeds;
}

}  // namespace

void add_image_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"image", accepts_image, image_seeds});
}

}  // namespace kindred::fuzz
