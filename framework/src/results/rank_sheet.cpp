#include "results/rank_sheet.h"

#include <algorithm>
#include <cstddef>
#include <opencv2/core/types.hpp>
#include <opencv2/imgproc.hpp>

#include "results/sheet_drawing.h"
#include "text/number_text.h"
#include "text/printable.h"

namespace kindred::results {
namespace {

constexpr int margin = 8;
constexpr int frame = 3;
constexpr int image_height = 128;
constexpr int image_width = 64;
constexpr int caption_height = 30;
constexpr int column = image_width + 2 * frame + margin + 20;
constexpr int line = image_height + 2 * frame + caption_height + margin;
constexpr std::size_t images_a_row = 10;
constexpr double text_size = 0.35;

/// In a corner of the frame, for those who do not tell its colors apart.
void draw_mark(cv::Mat& sheet, const cv::Rect& framed, Verdict verdict) {
  const cv::Rect box(framed.br().x - 14, framed.y, 14, 14);
  const bool right = verdict == Verdict::right;
  cv::rectangle(sheet, box, right ? sheet_green : sheet_red, cv::FILLED);
  const auto stroke = [&](cv::Point from, cv::Point to) {
    cv::line(sheet, box.tl() + from, box.tl() + to, sheet_white, 2, cv::LINE_AA);
  };
  if (right) {
    stroke({3, 7}, {6, 10});
    stroke({6, 10}, {10, 4});
  } else {
    stroke({4, 4}, {10, 10});
    stroke({4, 10}, {10, 4});
  }
}

/// @return the frame
cv::Rect draw_framed(cv::Mat& sheet, const SheetImage& image, int x, int y, const cv::Scalar& color) {
  const cv::Rect framed(x, y, image_width + 2 * frame, image_height + 2 * frame);
  const cv::Rect box(x + frame, y + frame, image_width, image_height);
  cv::rectangle(sheet, framed, color, cv::FILLED);
  if (!image.picture.empty()) {
    draw_image(sheet, image.picture, box);
    return framed;
  }
  cv::rectangle(sheet, box, cv::Scalar::all(225), cv::FILLED);
  // The end of a name tells more than its beginning.
  const auto name = text::printable(image.name);
  const auto shown = name.size() > 10 ? name.substr(name.size() - 10) : name;
  write_text(sheet, shown, box.x + 2, box.y + image_height / 2, sheet_gray, 0.3);
  return framed;
}

void draw_found(cv::Mat& sheet, const SheetImage& image, std::size_t rank, int x, int y) {
  const auto color = image.verdict == Verdict::right   ? sheet_green
                     : image.verdict == Verdict::wrong ? sheet_red
                                                       : sheet_white;
  const auto framed = draw_framed(sheet, image, x, y, color);
  if (image.verdict != Verdict::unknown) draw_mark(sheet, framed, image.verdict);
  const int below = framed.br().y + 10;
  write_text(sheet, std::to_string(rank) + "  " + text::fixed_text(image.similarity, 3), x, below,
             sheet_black, text_size);
  write_text(sheet, text::printable(image.known, 13), x, below + 14, sheet_gray, text_size);
}

std::size_t lines_of(std::size_t found) {
  return std::max<std::size_t>(1, (found + images_a_row - 1) / images_a_row);
}

}  // namespace

cv::Mat draw_rank_sheet(const std::vector<SheetRow>& rows) {
  std::vector<std::size_t> found;
  for (const auto& row : rows) found.push_back(row.found.size());
  cv::Mat sheet(static_cast<int>(rank_sheet_height(found)),
                2 * margin + static_cast<int>(images_a_row + 1) * column, CV_8UC3, sheet_white);
  int y = margin;
  for (const auto& row : rows) {
    const auto framed = draw_framed(sheet, row.query, margin, y, sheet_blue);
    const int below = framed.br().y + 10;
    write_text(sheet, row.found.empty() ? "no match" : "query", margin, below, sheet_blue, text_size);
    write_text(sheet, text::printable(row.query.known, 13), margin, below + 14, sheet_gray, text_size);
    for (std::size_t i = 0; i < row.found.size(); ++i) {
      draw_found(sheet, row.found[i], i + 1, 2 * margin + column * static_cast<int>(1 + i % images_a_row),
                 y + line * static_cast<int>(i / images_a_row));
    }
    y += line * static_cast<int>(lines_of(row.found.size()));
  }
  return sheet;
}

std::int64_t rank_sheet_height(const std::vector<std::size_t>& found) {
  std::size_t lines = 0;
  for (const auto count : found) lines += lines_of(count);
  return margin + line * static_cast<std::int64_t>(lines);
}

std::filesystem::path rank_sheet_name(const std::string& stage, std::int64_t epoch) {
  const auto space = stage.find(' ');
  const auto test_set = space == std::string::npos ? std::string() : stage.substr(space + 1) + "_";
  return std::filesystem::path("rank_sheets") /
         (test_set + "epoch_" + text::padded_digits(epoch, 3) + ".jpg");
}

}  // namespace kindred::results
