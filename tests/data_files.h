// What tests of data need: a folder of their own, small files and images, and the text of an error.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <opencv2/core.hpp>
#include <string>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "temporary_folder.h"

namespace kindred::test {

/// A folder of the test's own with pictures in it.
class PictureFolder : public TemporaryFolder {
 public:
  /// A picture that depends on `seed`.
  std::filesystem::path write_picture(const std::string& name, int seed, int width = 16,
                                      int height = 32) const;
};

/// Smooth, so that it survives JPEG, and different for each seed.
inline cv::Mat picture(int seed, int width = 16, int height = 32) {
  cv::Mat image(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at<cv::Vec3b>(y, x) = cv::Vec3b(static_cast<std::uint8_t>((seed * 37 + seed / 7 + 3 * x) % 256),
                                            static_cast<std::uint8_t>((seed * 91 + 2 * y) % 256),
                                            static_cast<std::uint8_t>((seed * 53 + x + y) % 256));
    }
  }
  return image;
}

inline std::filesystem::path PictureFolder::write_picture(const std::string& name, int seed, int width,
                                                          int height) const {
  const auto file = *this / name;
  std::filesystem::create_directories(file.parent_path());
  write_image(file, picture(seed, width, height));
  return file;
}

inline bool equal_pixels(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && cv::norm(a, b, cv::NORM_INF) == 0;
}

/// What an error of the given class says; "" and a failed check when there is none.
template <class E = DataError, class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  }
  FAIL_CHECK("no such error was thrown");
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace kindred::test
