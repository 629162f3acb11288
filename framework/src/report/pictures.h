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
#include "report/html.h"

namespace kindred::report {

/// RFC 4648, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

/// An 8-bit RGB image as the address of a JPEG ("data:image/jpeg;base64,..."), made smaller where it is
/// larger than either measure, never larger.
[[nodiscard]] std::string jpeg_address(const cv::Mat& image, int most_width, int most_height);

/// The images of a run's data set, small enough for a page. An image that cannot be read is a box with its
/// path.
class Pictures {
 public:
  /// Without any data set every picture is a box.
  Pictures() = default;
  /// Throws as Dataset::samples() does.
  explicit Pictures(std::unique_ptr<Dataset> dataset);

  /// @param description for those who cannot see it
  [[nodiscard]] Html picture(const std::string& path, const std::string& description);

  [[nodiscard]] std::int64_t shown() const { return shown_; }
  [[nodiscard]] std::int64_t missing() const { return missing_; }
  /// Why the first of those that are missing is; "" when the data set does not know it.
  [[nodiscard]] const std::string& first_trouble() const { return first_trouble_; }

 private:
  /// The address of a picture; "" when there is none.
  [[nodiscard]] std::string address_of(const std::string& path);

  std::unique_ptr<Dataset> dataset_;
  std::map<std::string, Sample, std::less<>> samples_;
  std::map<std::string, std::string, std::less<>> addresses_;
  std::int64_t shown_ = 0;
  std::int64_t missing_ = 0;
  std::string first_trouble_;
};

}  // namespace kindred::report
