#include "results/sheet_drawing.h"

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace kindred::results {

void write_text(cv::Mat& sheet, const std::string& text, int x, int y, const cv::Scalar& color, double size) {
  cv::putText(sheet, text, {x, y}, cv::FONT_HERSHEY_SIMPLEX, size, color, 1, cv::LINE_AA);
}

void draw_image(cv::Mat& sheet, const cv::Mat& image, const cv::Rect& box) {
  const double scale =
      std::min(static_cast<double>(box.width) / image.cols, static_cast<double>(box.height) / image.rows);
  const cv::Size size(std::max(1, static_cast<int>(image.cols * scale)),
                      std::max(1, static_cast<int>(image.rows * scale)));
  cv::Mat resized;
  cv::resize(image, resized, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  resized.copyTo(sheet({box.x + (box.width - size.width) / 2, box.y + (box.height - size.height) / 2,
                        size.width, size.height}));
}

std::vector<std::uint8_t> png_of(const cv::Mat& sheet) {
  cv::Mat bgr;
  cv::cvtColor(sheet, bgr, cv::COLOR_RGB2BGR);
  std::vector<std::uint8_t> bytes;
  cv::imencode(".png", bgr, bytes, {cv::IMWRITE_PNG_COMPRESSION, 9});
  return bytes;
}

}  // namespace kindred::results
