#include "report/pictures.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/encode.h"

namespace kindred::report {
namespace {

using text::element;
using text::Html;

constexpr int jpeg_quality = 82;

}  // namespace

std::string base64(std::string_view bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto part = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8U | (j < part.size() ? static_cast<std::uint8_t>(part[j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= part.size() ? digits[bits >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return text;
}

cv::Mat smaller(const cv::Mat& image, int most_width, int most_height) {
  const double factor = std::min(
      {1.0, static_cast<double>(most_width) / image.cols, static_cast<double>(most_height) / image.rows});
  if (factor >= 1) return image;
  const cv::Size size(std::max(1, static_cast<int>(std::lround(factor * image.cols))),
                      std::max(1, static_cast<int>(std::lround(factor * image.rows))));
  cv::Mat small;
  cv::resize(image, small, size, 0, 0, cv::INTER_AREA);
  return small;
}

std::string jpeg_address(const cv::Mat& image, int most_width, int most_height) {
  const auto bytes = encode_image(smaller(image, most_width, most_height), ".jpg", "a picture of the report",
                                  {cv::IMWRITE_JPEG_QUALITY, jpeg_quality});
  return "data:image/jpeg;base64," +
         base64(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Pictures::Pictures(std::unique_ptr<Dataset> dataset) : dataset_(std::move(dataset)) {
  for (auto& sample : dataset_->samples()) samples_.emplace(sample.path, sample);
}

const Sample* Pictures::sample(const std::string& path) const {
  const auto found = samples_.find(path);
  return found == samples_.end() ? nullptr : &found->second;
}

Picture Pictures::picture(const std::string& path) {
  const auto known = addresses_.find(path);
  if (known != addresses_.end()) return {known->second, ""};
  std::string address;
  if (const auto* known_sample = sample(path)) {
    try {
      address = jpeg_address(dataset_->image(*known_sample), picture_width, picture_height);
    } catch (const Error& error) {
      if (first_trouble_.empty()) first_trouble_ = error.what();
    }
  }
  address.empty() ? ++missing_ : ++shown_;
  return {addresses_.emplace(path, std::move(address)).first->second, ""};
}

Html draw(const Picture& picture, const std::string& path, const std::string& description) {
  if (picture.address.empty()) {
    return element(
        "span", {{"class", "missing"}, {"role", "img"}, {"aria-label", description + ", not shown"}}, path);
  }
  auto images = element("img", {{"src", picture.address}, {"alt", description}, {"loading", "lazy"}}, {});
  if (!picture.map.empty()) {
    images += element(
        "img",
        {{"src", picture.map}, {"alt", "activation map of " + path}, {"class", "map"}, {"loading", "lazy"}},
        {});
  }
  return element("details", {{"class", "zoom"}},
                 element("summary", images) + element("p", {{"aria-hidden", "true"}}, description));
}

}  // namespace kindred::report
