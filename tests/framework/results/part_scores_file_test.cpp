#include "results/part_scores_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kindred/core/error.h"
#include "made_evaluation.h"
#include "temporary_folder.h"

namespace kindred::test {
using namespace kindred::results;  // NOLINT
namespace {

PartScores made_parts() {
  const auto made = made_evaluation();
  PartScores parts;
  parts.figures = {made.figures[0].info, made.figures[1].info};
  parts.camera_pairs = {{"1", "2", 3, {0.5, 0.25}}, {"2", "1", 1, {0.125, NAN}}};
  parts.domains = {{"day, bright", "", 2, {0.75, 1}}, {"night", "", 2, {0.25, 0}}};
  return parts;
}

TEST_CASE("scores of camera pairs and domains are written as tables, exactly") {
  const TemporaryFolder folder;
  PartScoresFiles::write(folder.path(), made_parts());
  CHECK(read_bytes(folder / "by_camera.csv") ==
        "query_camera,gallery_camera,queries,mAP,rank1\n1,2,3,0.5,0.25\n2,1,1,0.125,\n");
  CHECK(read_bytes(folder / "by_domain.csv") ==
        "domain,queries,mAP,rank1\n\"day, bright\",2,0.75,1\nnight,2,0.25,0\n");
}

TEST_CASE("scores of parts come back as they were, with what the evaluation knows of the figures") {
  const TemporaryFolder folder;
  PartScoresFiles::write(folder.path(), made_parts());
  const auto read = PartScoresFiles::read(folder.path(), {made_evaluation().figures[0]});
  REQUIRE(read.figures.size() == 2);
  CHECK(read.figures[0].label == "mAP");
  CHECK(read.figures[0].kind == FigureKind::share);
  CHECK(read.figures[1].label == "rank1");
  CHECK(read.figures[1].kind == FigureKind::number);
  REQUIRE(read.camera_pairs.size() == 2);
  CHECK(read.camera_pairs[1].query == "2");
  CHECK(read.camera_pairs[1].gallery == "1");
  CHECK(read.camera_pairs[1].queries == 1);
  CHECK(read.camera_pairs[1].values[0] == 0.125);
  CHECK(std::isnan(read.camera_pairs[1].values[1]));
  REQUIRE(read.domains.size() == 2);
  CHECK(read.domains[0].query == "day, bright");
  CHECK(read.domains[0].gallery.empty());
}

TEST_CASE("of parts that are not there no file is written, and none is read") {
  const TemporaryFolder folder;
  PartScoresFiles::write(folder.path(), {});
  CHECK(files_in(folder.path()) == 0);
  CHECK(PartScoresFiles::read(folder.path(), {}).figures.empty());
}

TEST_CASE("a damaged table of parts is refused with its line") {
  const TemporaryFolder folder;
  folder.write("by_domain.csv", "domain,queries,mAP\nday,2,half\n");
  CHECK(message_of<DataError>([&] {
          static_cast<void>(PartScoresFiles::read(folder.path(), {}));
        }).find("by_domain.csv:2: error: the mAP 'half' is not a number") != std::string::npos);
}

TEST_CASE("tables of parts with other figures than each other, or with none, are refused by name") {
  const auto message = [](const std::string& cameras, const std::string& domains) {
    const TemporaryFolder folder;
    PartScoresFiles::write(folder.path(), made_parts());
    if (!cameras.empty()) folder.write("by_camera.csv", cameras);
    if (!domains.empty()) folder.write("by_domain.csv", domains);
    return folder.without(
        message_of<DataError>([&] { static_cast<void>(PartScoresFiles::read(folder.path(), {})); }));
  };
  CHECK(message("query_camera,gallery_camera,queries,mAP\n1,2,3,0.5\n", "") ==
        "by_domain.csv: error: has other columns of figures than by_camera.csv beside it; evaluate again");
  CHECK(message("query_camera,gallery_camera,queries\n1,2,3\n", "") ==
        "by_camera.csv: error: has no column of a figure; evaluate again");
  CHECK(message("", "domain,queries,rank1,mAP\nday,2,1,0.5\n") ==
        "by_domain.csv: error: has other columns of figures than by_camera.csv beside it; evaluate again");
}

}  // namespace
}  // namespace kindred::test
