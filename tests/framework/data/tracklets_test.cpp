#include "data/tracklets.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data_files.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;

namespace {

Sample frame_of(const std::string& tracklet, const std::string& path, Split split = Split::gallery) {
  Sample sample;
  sample.path = path;
  sample.identity = 1;
  sample.camera = 2;
  sample.split = split;
  sample.tracklet = tracklet;
  return sample;
}

}  // namespace

TEST_CASE("frames of a tracklet are in the order of their paths, tracklets in that of their first samples") {
  const std::vector<Sample> samples{frame_of("b", "9"), frame_of("", "8"), frame_of("a", "7"),
                                    frame_of("b", "1"), frame_of("", "0"), frame_of("b", "5")};
  CHECK(frames_of_tracklets(samples) == std::vector<Frames>{{3, 5, 0}, {1}, {2}, {4}});
  const auto rows = samples_of_tracklets(samples);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].path == "1");
  CHECK(rows[0].tracklet == "b");
  CHECK(rows[1].path == "8");
}

TEST_CASE("a tracklet's name counts within its split alone") {
  const std::vector<Sample> samples{frame_of("a", "1", Split::query), frame_of("a", "2"), frame_of("a", "3")};
  CHECK(frames_of_tracklets(samples) == std::vector<Frames>{{0}, {1, 2}});
}

TEST_CASE("frames are taken at equal distances, from the middle of each part") {
  const Frames ten{10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
  CHECK(evenly_chosen(ten, 1) == Frames{15});
  CHECK(evenly_chosen(ten, 2) == Frames{12, 17});
  CHECK(evenly_chosen(ten, 5) == Frames{11, 13, 15, 17, 19});
  CHECK(evenly_chosen(ten, 3) == Frames{11, 15, 18});
  CHECK(evenly_chosen(ten, 10) == ten);
  CHECK(evenly_chosen(ten, 11) == ten);
  CHECK(evenly_chosen(ten, 0) == ten);
  for (std::int64_t count = 1; count < 10; ++count) {
    const auto chosen = evenly_chosen(ten, count);
    CHECK(chosen.size() == static_cast<std::size_t>(count));
    for (std::size_t i = 1; i < chosen.size(); ++i) CHECK(chosen[i] > chosen[i - 1]);
  }
}

TEST_CASE("frames of a tracklet that differ in what they must share are refused by their paths") {
  std::vector<Sample> samples{frame_of("a", "1"), frame_of("a", "2")};
  const auto refusal = [&] { return error_of([&] { (void)samples_of_tracklets(samples); }); };
  samples[1].identity = 5;
  CHECK(contains(refusal(),
                 "2: error: has another identity than '1', although both are frames of the "
                 "tracklet 'a'"));
  samples[1].identity = 1;
  samples[1].camera = 3;
  CHECK(contains(refusal(), "another camera"));
  samples[1].camera = 2;
  samples[1].clothes = 1;
  CHECK(contains(refusal(), "has other clothes than"));
  samples[1].clothes = unknown_clothes;
  samples[1].domain = "violet";
  CHECK(contains(refusal(), "another domain"));
}

TEST_CASE("a tracklet has the view of its frames if all have one") {
  std::vector<Sample> samples{frame_of("a", "1"), frame_of("a", "2")};
  for (auto& sample : samples) sample.view = 3;
  CHECK(samples_of_tracklets(samples).front().view == 3);
  samples[1].view = 4;
  CHECK(samples_of_tracklets(samples).front().view == unknown_view);
}
