#include "results/sheet_drawing.h"

#include <strings.h>

#include <algorithm>
#include <ios>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <ostream>

#include "file/atomic_file.h"
#include "kindred/image/encode.h"

namespace kindred::results {
namespace {

bool has_extension(const std::filesystem::path& file, const char* extension) {
  return ::strcasecmp(file.extension().c_str(), extension) == 0;
}

bool is_jpeg_name(const std::filesystem::path& file) {
  return has_extension(file, ".jpg") || has_extension(file, ".jpeg");
}

}  // namespace

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

std::vector<std::uint8_t> png_of(const cv::Mat& sheet, const std::filesystem::path& name) {
  return encode_image(sheet, ".png", name, {cv::IMWRITE_PNG_COMPRESSION, 9});
}

bool is_sheet_name(const std::filesystem::path& file) {
  return has_extension(file, ".png") || is_jpeg_name(file);
}

std::int64_t longest_sheet_side(const std::filesystem::path& file) {
  // What libjpeg and libpng write.
  return is_jpeg_name(file) ? 65500 : 1000000;
}

void write_sheet(const std::filesystem::path& file, const cv::Mat& sheet) {
  const auto bytes = is_jpeg_name(file) ? encode_image(sheet, ".jpg", file, {cv::IMWRITE_JPEG_QUALITY, 85})
                                        : png_of(sheet, file);
  file::write_atomically(file, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  });
}

}  // namespace kindred::results
