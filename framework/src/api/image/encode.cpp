#include "kindred/image/encode.h"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "kindred/core/error.h"

namespace kindred {

std::vector<std::uint8_t> encode_image(const cv::Mat& image, const std::string& ending,
                                       const std::filesystem::path& name, const std::vector<int>& options) {
  cv::Mat bgr;
  cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
  std::vector<std::uint8_t> bytes;
  bool is_done = false;
  try {
    is_done = cv::imencode(ending, bgr, bytes, options);
  } catch (const cv::Exception&) {  // names a line of OpenCV, and no reason
  }
  if (!is_done) {
    throw DataError(name, "cannot be encoded as " + ending + ": there is no memory for its " +
                              std::to_string(image.cols) + " x " + std::to_string(image.rows) +
                              " pixels, or they are too many for this format");
  }
  return bytes;
}

}  // namespace kindred
