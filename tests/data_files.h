// What tests of data need: a folder of their own, small files and images, and the text of an error.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <opencv2/core.hpp>
#include <string>

#include "kindred/error.h"
#include "kindred/image.h"

namespace kindred::test {

/// A new folder, deleted at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kindred_data_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, const std::string& content) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

  /// A picture that depends on `seed`.
  std::filesystem::path write_picture(const std::string& name, int seed, int width = 16,
                                      int height = 32) const;

 private:
  std::filesystem::path path_;
};

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

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

inline std::filesystem::path TemporaryFolder::write_picture(const std::string& name, int seed, int width,
                                                            int height) const {
  const auto file = path_ / name;
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
