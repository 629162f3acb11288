#include "command/search_sheet.h"

#include <algorithm>
#include <cstddef>
#include <ios>
#include <opencv2/core/types.hpp>
#include <opencv2/imgproc.hpp>
#include <ostream>
#include <string>

#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "results/sheet_drawing.h"
#include "text/number_text.h"
#include "text/printable.h"

namespace kindred::command {
namespace {

constexpr int margin = 8;
constexpr int frame = 3;
constexpr int image_height = 128;
constexpr int image_width = 64;
constexpr int caption_height = 30;
constexpr int column = image_width + 2 * frame + margin + 20;
constexpr int line = image_height + 2 * frame + caption_height + margin;
constexpr std::size_t images_a_row = 10;

/// The picture of a match; empty when it is not known or cannot be read.
cv::Mat picture_of(const Match& match) {
  if (match.info.image.empty()) return {};
  try {
    return read_image(match.info.image);
  } catch (const DataError&) {
    return {};
  }
}

void draw_match(cv::Mat& sheet, const Match& match, std::size_t rank, int x, int y) {
  const cv::Rect box(x + frame, y + frame, image_width, image_height);
  if (const auto picture = picture_of(match); !picture.empty()) {
    results::draw_image(sheet, picture, box);
  } else {
    cv::rectangle(sheet, box, cv::Scalar::all(225), cv::FILLED);
    // The end of a name tells more than its beginning.
    const auto name = text::printable(match.id);
    const auto shown = name.size() > 10 ? name.substr(name.size() - 10) : name;
    results::write_text(sheet, shown, box.x + 2, box.y + image_height / 2, results::sheet_grey, 0.3);
  }
  const int below = box.br().y + frame + 10;
  results::write_text(sheet, std::to_string(rank) + "  " + text::fixed_text(match.similarity, 3), x, below,
                      results::sheet_black, 0.35);
  std::string known = text::printable(match.info.label, 9);
  if (match.info.camera >= 0) known += (known.empty() ? "c" : " c") + std::to_string(match.info.camera);
  results::write_text(sheet, known, x, below + 14, results::sheet_grey, 0.35);
}

}  // namespace

void draw_search_sheet(const std::filesystem::path& file, const std::vector<cv::Mat>& images,
                       const std::vector<std::vector<Match>>& matches) {
  std::size_t lines = 0;
  const auto lines_of = [](const std::vector<Match>& found) {
    return std::max<std::size_t>(1, (found.size() + images_a_row - 1) / images_a_row);
  };
  for (const auto& found : matches) lines += lines_of(found);
  cv::Mat sheet(margin + static_cast<int>(lines) * line,
                2 * margin + static_cast<int>(images_a_row + 1) * column, CV_8UC3, results::sheet_white);
  int y = margin;
  for (std::size_t q = 0; q < images.size(); ++q) {
    const cv::Rect outer(margin, y, image_width + 2 * frame, image_height + 2 * frame);
    cv::rectangle(sheet, outer, results::sheet_blue, cv::FILLED);
    results::draw_image(sheet, images[q], {outer.x + frame, outer.y + frame, image_width, image_height});
    results::write_text(sheet, matches[q].empty() ? "no match" : "query", margin, outer.br().y + 10,
                        results::sheet_blue, 0.35);
    for (std::size_t i = 0; i < matches[q].size(); ++i) {
      draw_match(sheet, matches[q][i], i + 1, 2 * margin + column * static_cast<int>(1 + i % images_a_row),
                 y + line * static_cast<int>(i / images_a_row));
    }
    y += line * static_cast<int>(lines_of(matches[q]));
  }
  const auto bytes = results::png_of(sheet);
  file::write_atomically(file, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  });
}

}  // namespace kindred::command
