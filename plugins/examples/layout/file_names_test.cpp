#include "file_names.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "kindred/core/error.h"

using my_plugins::FileNames;

TEST_CASE("names hold identity, camera and a number that is new for the identity") {
  const std::vector<kindred::Sample> samples = {{"a", 12, 3, "", kindred::Split::train},
                                                {"b", 12, 4, "", kindred::Split::train},
                                                {"c", 7, 3, "", kindred::Split::query}};
  const auto files = FileNames({}, {}).files(samples, "png");
  CHECK(files.images == std::vector<std::string>{"train/0012_c3_0000.png", "train/0012_c4_0001.png",
                                                 "query/0007_c3_0000.png"});
  CHECK(files.lists.empty());
}

TEST_CASE("an image of an unknown person cannot be named") {
  const std::vector<kindred::Sample> samples = {
      {"x.png", kindred::unlabeled_identity, 3, "", kindred::Split::gallery}};
  CHECK_THROWS_WITH_AS(static_cast<void>(FileNames({}, {}).files(samples, "png")), doctest::Contains("x.png"),
                       kindred::DataError);
}
