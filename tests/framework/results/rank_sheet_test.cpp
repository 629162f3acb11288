#include "results/rank_sheet.h"

#include <doctest/doctest.h>

#include <opencv2/core.hpp>

#include "results/sheet_drawing.h"

namespace kindred::test {
using namespace kindred::results;  // NOLINT
namespace {

constexpr int framed_height = 134;
constexpr int framed_width = 70;

/// Pixels of the color in the middle of a frame's left edge, from x on.
bool is_framed(const cv::Mat& sheet, int x, int y, const cv::Scalar& color) {
  const auto pixel = sheet.at<cv::Vec3b>(y + framed_height / 2, x + 1);
  return cv::Scalar(pixel[0], pixel[1], pixel[2]) == color;
}

SheetImage image_of(const cv::Scalar& color, Verdict verdict = Verdict::unknown) {
  SheetImage image;
  image.picture = cv::Mat(64, 32, CV_8UC3, color);
  image.verdict = verdict;
  return image;
}

TEST_CASE("right and wrong images are framed and marked, and others are not") {
  const cv::Scalar shirt(1, 2, 3);
  SheetRow row;
  row.query = image_of(shirt);
  row.found = {image_of(shirt, Verdict::right), image_of(shirt, Verdict::wrong), image_of(shirt)};
  const auto sheet = draw_rank_sheet({row});
  const auto x_of = [](int rank) { return 16 + 98 * rank; };
  CHECK(is_framed(sheet, 8, 8, sheet_blue));
  CHECK(is_framed(sheet, x_of(1), 8, sheet_green));
  CHECK(is_framed(sheet, x_of(2), 8, sheet_red));
  CHECK(is_framed(sheet, x_of(3), 8, sheet_white));
  for (int rank = 1; rank <= 3; ++rank) {
    const auto center = sheet.at<cv::Vec3b>(8 + framed_height / 2, x_of(rank) + framed_width / 2);
    CHECK(center == cv::Vec3b(1, 2, 3));
    // White strokes over the picture's corner of marked ones.
    const cv::Mat corner = sheet({x_of(rank) + framed_width - 14, 8 + 3, 11, 11});
    cv::Mat white;
    cv::inRange(corner, sheet_white, sheet_white, white);
    const auto strokes = cv::countNonZero(white);
    CHECK((strokes > 5) == (rank < 3));
  }
}

TEST_CASE("more than ten images take further lines, and one without a picture is a gray box") {
  SheetRow row;
  row.query = image_of(sheet_black);
  row.found.resize(11);
  for (auto& image : row.found) image.name = "a.jpg";
  const auto one = draw_rank_sheet({SheetRow{row.query, {}}});
  const auto two = draw_rank_sheet({row});
  CHECK(rank_sheet_height({0}) == one.rows);
  CHECK(rank_sheet_height({11}) == two.rows);
  CHECK(rank_sheet_height({11, 10, 0}) == two.rows + 2 * (one.rows - 8));
  CHECK(two.cols == one.cols);
  CHECK(two.rows == one.rows + (one.rows - 8));
  CHECK(two.at<cv::Vec3b>(20, 16 + 98 + 30) == cv::Vec3b(225, 225, 225));
  CHECK(two.at<cv::Vec3b>(one.rows - 8 + 20, 16 + 98 + 30) == cv::Vec3b(225, 225, 225));
  CHECK(two.at<cv::Vec3b>(one.rows - 8 + 20, 16 + 2 * 98 + 30) == cv::Vec3b(255, 255, 255));
}

TEST_CASE("sheets of epochs and test sets have names of their own") {
  CHECK(rank_sheet_name("evaluate", 3) == "rank_sheets/epoch_003.jpg");
  CHECK(rank_sheet_name("evaluate", 1234) == "rank_sheets/epoch_1234.jpg");
  CHECK(rank_sheet_name("evaluate market1501", 12) == "rank_sheets/market1501_epoch_012.jpg");
}

}  // namespace
}  // namespace kindred::test
