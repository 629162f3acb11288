// Pictures inside a page.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>

#include "kindred/role/dataset.h"
#include "text/html.h"

namespace kindred::report {

/// RFC 4648, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

/// smaller() of an 8-bit RGB image as the address of a JPEG: "data:image/jpeg;base64,...".
[[nodiscard]] std::string jpeg_address(const cv::Mat& image, int most_width, int most_height);

/// The image made smaller where it is larger than either measure, else itself.
[[nodiscard]] cv::Mat smaller(const cv::Mat& image, int most_width, int most_height);

/// A picture that is part of a page.
struct Picture {
  std::string address;  ///< of jpeg_address(); "": it is missing
  std::string map;      ///< of the activation map over it; "": none
};

/// The markup of a picture, which becomes large when it is chosen. One that is missing is a box with its
/// path.
/// @param description for those who cannot see it, and beside the large picture
[[nodiscard]] text::Html draw(const Picture& picture, const std::string& path,
                              const std::string& description);

/// The images of a run's data set, small enough for a page.
class Pictures {
 public:
  /// Without any data set every picture is missing.
  Pictures() = default;
  /// Throws as Dataset::samples() does.
  explicit Pictures(std::unique_ptr<Dataset> dataset);

  /// Without a map.
  [[nodiscard]] Picture picture(const std::string& path);

  /// nullptr where the data set does not know the image.
  [[nodiscard]] const Sample* sample(const std::string& path) const;
  /// nullptr without any.
  [[nodiscard]] const Dataset* dataset() const { return dataset_.get(); }

  [[nodiscard]] std::int64_t shown() const { return shown_; }
  [[nodiscard]] std::int64_t missing() const { return missing_; }
  /// Why the first of those that are missing is; "" when the data set does not know it.
  [[nodiscard]] const std::string& first_trouble() const { return first_trouble_; }

 private:
  std::unique_ptr<Dataset> dataset_;
  std::map<std::string, Sample, std::less<>> samples_;
  std::map<std::string, std::string, std::less<>> addresses_;
  std::int64_t shown_ = 0;
  std::int64_t missing_ = 0;
  std::string first_trouble_;
};

/// What an image is made smaller to, where it is larger.
inline constexpr int picture_height = 256;
inline constexpr int picture_width = 256;

}  // namespace kindred::report
