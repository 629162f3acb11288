// What sheets of pictures are drawn with: 8-bit RGB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

namespace kindred::results {

inline const cv::Scalar sheet_white(255, 255, 255);
inline const cv::Scalar sheet_black(0, 0, 0);
inline const cv::Scalar sheet_gray(110, 110, 110);
inline const cv::Scalar sheet_red(220, 20, 20);
inline const cv::Scalar sheet_green(20, 150, 60);
inline const cv::Scalar sheet_blue(30, 90, 230);

/// @param x, y where the line of the text begins
void write_text(cv::Mat& sheet, const std::string& text, int x, int y, const cv::Scalar& color, double size);

/// Into a box, keeping the picture's proportions.
void draw_image(cv::Mat& sheet, const cv::Mat& image, const cv::Rect& box);

/// A PNG file's bytes. Throws DataError when there is no memory for them.
/// @param name what errors call it
[[nodiscard]] std::vector<std::uint8_t> png_of(const cv::Mat& sheet, const std::filesystem::path& name);

/// Whether write_sheet() writes what the name of a file says: .png, .jpg or .jpeg, in either case.
[[nodiscard]] bool is_sheet_name(const std::filesystem::path& file);

/// The most pixels in a side of a picture that write_sheet() writes to a file of that name.
[[nodiscard]] std::int64_t longest_sheet_side(const std::filesystem::path& file);

/// Writes a PNG file or, where its name ends so, a JPEG file: a tenth of the size where most of a sheet is
/// photographs. Atomic.
void write_sheet(const std::filesystem::path& file, const cv::Mat& sheet);

}  // namespace kindred::results
