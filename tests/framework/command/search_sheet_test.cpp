#include "command/search_sheet.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using command::draw_search_sheet;
using test::TemporaryFolder;

TEST_CASE("a sheet that is higher than files of its format is refused, and nothing is written") {
  const TemporaryFolder folder;
  progress::SilentProgress progress;
  const std::vector<cv::Mat> images{cv::Mat(4, 2, CV_8UC3, cv::Scalar::all(9))};
  const auto draw = [&](const char* name, std::size_t matches) {
    draw_search_sheet(folder / name, images, {std::vector<Match>(matches)}, progress);
  };
  const auto sheet = folder / "sheet.jpg";
  CHECK_THROWS_WITH_AS(
      draw("sheet.jpg", 3810),
      ("--sheet " + sheet.string() +
       ": error: would be 65,540 pixels high, and a .jpg file can have 65,500; write a .png, lower --top, or "
       "search for fewer pictures at a time")
          .c_str(),
      RecipeError);
  CHECK_THROWS_AS(draw("sheet.png", 60000), RecipeError);
  CHECK(std::filesystem::is_empty(folder.path()));
  draw("sheet.jpg", 20);
  CHECK(cv::imread(sheet.string()).rows == 352);
}
