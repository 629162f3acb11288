#include "command/doctor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "data/each_image.h"
#include "made_dataset.h"
#include "manifest.h"

using namespace kindred;
using namespace kindred::command;
using namespace kindred::manifest;
using namespace kindred::test;

namespace {

/// Two people in training, two in test, three cameras; nothing is wrong.
MadeDataset healthy() {
  MadeDataset data;
  data.add("t1", 1, 1, Split::train);
  data.add("t2", 1, 2, Split::train);
  data.add("t3", 2, 1, Split::train);
  data.add("t4", 2, 2, Split::train);
  data.add("t5", 2, 2, Split::train);
  data.add("q1", 11, 1, Split::query);
  data.add("q2", 12, 2, Split::query);
  data.add("g1", 11, 2, Split::gallery);
  data.add("g2", 12, 3, Split::gallery);
  return data;
}

const Finding* find(const DoctorReport& report, const std::string& code) {
  const auto at = std::find_if(report.findings.begin(), report.findings.end(),
                               [&](const Finding& finding) { return finding.code == code; });
  return at == report.findings.end() ? nullptr : &*at;
}

/// The finding of a code, which must be there, with a remedy.
Finding finding(const DoctorReport& report, const std::string& code) {
  const Finding* found = find(report, code);
  REQUIRE_MESSAGE(found != nullptr, code);
  CHECK_FALSE(found->remedy.empty());
  return *found;
}

using Names = std::vector<std::string>;

class CountingSink final : public progress::ProgressSink {
 public:
  void update(const progress::Progress& progress) override {
    only_caller = only_caller && std::this_thread::get_id() == caller;
    last = progress;
  }
  void finish(const progress::Progress& progress) override { finished = progress; }
  void note(const std::string&) override {}

  std::thread::id caller = std::this_thread::get_id();
  bool only_caller = true;
  progress::Progress last;
  progress::Progress finished;
};

}  // namespace

TEST_CASE("figures count images, identities, cameras and sizes of each split") {
  MadeDataset data = healthy();
  data.add("g3", junk_identity, 1, Split::gallery, 50, "night", {20, 40});
  data.add("g4", unlabeled_identity, unknown_camera, Split::gallery, 51, "night", {20, 40});
  const DoctorReport report = examine(data, true);
  REQUIRE(report.splits.size() == 3);

  const SplitFigures& train = report.splits[0];
  CHECK(train.split == Split::train);
  CHECK(train.images == 5);
  CHECK(train.identities == 2);
  CHECK(train.images_per_identity.minimum == 2);
  CHECK(train.images_per_identity.median == 2);
  CHECK(train.images_per_identity.maximum == 3);
  using Buckets = std::vector<std::pair<std::int64_t, std::int64_t>>;
  CHECK(train.histogram == Buckets{{1, 0}, {2, 2}});
  CHECK(train.cameras == std::map<std::int64_t, std::int64_t>{{1, 2}, {2, 3}});
  CHECK(train.one_camera_identities == 0);
  CHECK(train.sizes == std::map<std::pair<int, int>, std::int64_t>{{{16, 32}, 5}});

  const SplitFigures& gallery = report.splits[2];
  CHECK(gallery.images == 4);
  CHECK(gallery.identities == 2);
  CHECK(gallery.junk == 1);
  CHECK(gallery.unlabeled == 1);
  CHECK(gallery.one_camera_identities == 2);
  CHECK(gallery.cameras == std::map<std::int64_t, std::int64_t>{{unknown_camera, 1}, {1, 1}, {2, 1}, {3, 1}});
  CHECK(gallery.domains == std::map<std::string, std::int64_t>{{"", 2}, {"night", 2}});
  CHECK(gallery.sizes == std::map<std::pair<int, int>, std::int64_t>{{{16, 32}, 2}, {{20, 40}, 2}});
}

TEST_CASE("a healthy data set has no findings") {
  const DoctorReport report = examine(healthy(), true);
  CHECK(report.findings.empty());
  CHECK(report.match.queries == 2);
  CHECK(report.match.matched == 2);
  CHECK(report.match.cameras_known);
  CHECK(contains(doctor_text(report), "Findings: 0 errors, 0 warnings, 0 notes.\n"));
}

TEST_CASE("unreadable images are named with the reason") {
  MadeDataset data = healthy();
  data.add_unreadable("t9", 2, 1, Split::train);
  const DoctorReport report = examine(data, true);
  REQUIRE(report.unreadable.size() == 1);
  CHECK(report.unreadable[0].path == "t9");
  const Finding found = finding(report, "unreadable");
  CHECK(found.severity == Severity::error);
  CHECK(found.examples == Names{"t9: error: is empty (0 bytes)"});
  CHECK(report.splits[0].images == 6);
  CHECK(report.splits[0].sizes.at({16, 32}) == 5);
}

TEST_CASE("equal pixels under different identities are an error, whatever the files are called") {
  MadeDataset data = healthy();
  data.add("t8", 1, 1, Split::train, 7);
  data.add("t9", 2, 3, Split::train, 7);
  const DoctorReport report = examine(data, true);
  REQUIRE(report.duplicates.size() == 1);
  const Finding found = finding(report, "duplicates_with_different_identities");
  CHECK(found.severity == Severity::error);
  CHECK(found.examples == Names{"t8 (identity 1) = t9 (identity 2)"});
  CHECK(report.findings.size() == 1);
}

TEST_CASE("equal pixels in training and in test are a warning") {
  MadeDataset data = healthy();
  data.add("t9", 1, 1, Split::train, 7);
  data.add("g9", unlabeled_identity, 1, Split::gallery, 7);
  const DoctorReport report = examine(data, true);
  CHECK(finding(report, "duplicates_in_train_and_test").examples == Names{"t9 (identity 1) = g9"});
  CHECK(report.findings.size() == 1);
}

TEST_CASE("a query that lies in the gallery is a warning, unless its camera leaves it out") {
  MadeDataset data = healthy();
  data.add("q9", 11, 1, Split::query, 7);
  data.add("g8", 11, 1, Split::gallery, 7);
  CHECK(examine(data, true).findings.at(0).code == "duplicates");
  data.add("g9", 11, 3, Split::gallery, 7);
  const DoctorReport report = examine(data, true);
  CHECK(finding(report, "query_in_gallery").severity == Severity::warning);
  CHECK(report.duplicates.at(0).size() == 3);
}

TEST_CASE("a query that is in the gallery by its own path is no copy of itself") {
  MadeDataset data = healthy();
  data.add("both", 11, 1, Split::query, 7);
  data.add("both", 11, 1, Split::gallery, 7);
  CHECK(examine(data, true).duplicates.empty());
  data.add("copy", 11, 3, Split::gallery, 7);
  const DoctorReport report = examine(data, true);
  REQUIRE(report.duplicates.size() == 1);
  CHECK(report.duplicates[0].size() == 3);
  CHECK(finding(report, "query_in_gallery").severity == Severity::warning);
}

TEST_CASE("copies that agree are a note") {
  MadeDataset data = healthy();
  data.add("t8", 1, 1, Split::train, 7);
  data.add("t9", 1, 1, Split::train, 7);
  CHECK(finding(examine(data, true), "duplicates").severity == Severity::note);
}

TEST_CASE("pictures of another size are no duplicates") {
  MadeDataset data = healthy();
  data.add("t8", 1, 1, Split::train, 7, "", {16, 32});
  data.add("t9", 1, 1, Split::train, 7, "", {16, 33});
  CHECK(examine(data, true).duplicates.empty());
}

TEST_CASE("without decoding only what is said of the images is judged") {
  MadeDataset data = healthy();
  data.add_unreadable("t9", 2, 1, Split::train);
  data.add("g8", 2, 1, Split::gallery);
  const DoctorReport report = examine(data, false);
  CHECK_FALSE(report.decoded);
  CHECK(report.unreadable.empty());
  CHECK(find(report, "identity_in_train_and_test") != nullptr);
  CHECK(contains(doctor_text(report), "The images were not decoded."));
  CHECK_FALSE(contains(doctor_text(report), "most frequent"));
}

TEST_CASE("training images without an identity are an error") {
  MadeDataset data = healthy();
  data.add("t8", unlabeled_identity, 1, Split::train);
  data.add("t9", junk_identity, 1, Split::train);
  const Finding found = finding(examine(data, false), "train_without_identity");
  CHECK(found.severity == Severity::error);
  CHECK(found.examples == Names{"t8", "t9"});
}

TEST_CASE("a training set of one identity, of single images, of one camera each is remarked upon") {
  MadeDataset one;
  one.add("t1", 5, 1, Split::train);
  CHECK(finding(examine(one, false), "one_identity").severity == Severity::error);

  one.add("t2", 6, 2, Split::train);
  one.add("t3", 6, 2, Split::train);
  CHECK(contains(finding(examine(one, false), "single_images").message,
                 "1 of 2 training identities has a single image"));
  CHECK(finding(examine(one, false), "train_one_camera_each").severity == Severity::warning);
}

TEST_CASE("queries whose identity is not in the gallery are named") {
  MadeDataset data = healthy();
  data.add("q9", 99, 1, Split::query);
  const DoctorReport report = examine(data, false);
  CHECK(report.match.identity_missing == 1);
  CHECK(report.match.matched == 2);
  CHECK(finding(report, "identity_missing").examples == Names{"q9"});
}

TEST_CASE("queries with matches under their own camera alone are left out and named") {
  MadeDataset data = healthy();
  data.add("q9", 13, 1, Split::query);
  data.add("g8", 13, 1, Split::gallery);
  data.add("g9", 13, 1, Split::gallery);
  const DoctorReport report = examine(data, false);
  CHECK(report.match.same_camera_only == 1);
  const Finding found = finding(report, "no_cross_camera_match");
  CHECK(found.examples == Names{"q9"});
  CHECK(contains(found.message, "1 query of 3 has gallery images"));
  data.add("g10", 13, 2, Split::gallery);
  CHECK(examine(data, false).match.same_camera_only == 0);
}

TEST_CASE("a query that is in the gallery itself is no answer to itself") {
  MadeDataset data;
  for (const Split split : {Split::query, Split::gallery}) {
    data.add("one", 1, unknown_camera, split);
    data.add("other", 1, unknown_camera, split);
    data.add("alone", 2, unknown_camera, split);
  }
  const DoctorReport report = examine(data, false);
  CHECK(report.match.matched == 2);
  CHECK(report.match.identity_missing == 1);
  CHECK(finding(report, "identity_missing").examples == Names{"alone"});

  MadeDataset alone;
  for (const Split split : {Split::query, Split::gallery}) alone.add("one", 1, unknown_camera, split);
  CHECK(contains(finding(examine(alone, false), "nothing_to_evaluate").message,
                 "no other image of the people of the queries"));
}

TEST_CASE("when nothing can be evaluated the reason is given") {
  MadeDataset strangers;
  strangers.add("q1", 1, 1, Split::query);
  strangers.add("g1", 2, 2, Split::gallery);
  const Finding missing = finding(examine(strangers, false), "nothing_to_evaluate");
  CHECK(missing.severity == Severity::error);
  CHECK(contains(missing.message, "The gallery contains none of the identities of the queries"));

  MadeDataset same_camera;
  same_camera.add("q1", 1, 1, Split::query);
  same_camera.add("g1", 1, 1, Split::gallery);
  same_camera.add("q2", 2, 2, Split::query);
  same_camera.add("g2", 2, 2, Split::gallery);
  const Finding one_sided = finding(examine(same_camera, false), "nothing_to_evaluate");
  CHECK(contains(one_sided.message, "from another camera"));
  CHECK(contains(one_sided.remedy, "evaluate.cameras = \"single\""));
  CHECK(one_sided.examples == Names{"q1", "q2"});
}

TEST_CASE("unknown, partly known and single cameras turn same-camera removal off, and it is said") {
  MadeDataset data;
  data.add("q1", 1, unknown_camera, Split::query);
  data.add("g1", 1, unknown_camera, Split::gallery);
  CHECK(finding(examine(data, false), "cameras_unknown").severity == Severity::note);
  CHECK_FALSE(examine(data, false).match.cameras_known);
  CHECK(examine(data, false).match.matched == 1);

  data.add("g2", 1, 4, Split::gallery);
  CHECK(finding(examine(data, false), "cameras_partly_known").examples == Names{"q1", "g1"});
  CHECK_FALSE(examine(data, false).match.cameras_known);

  MadeDataset single;
  single.add("q1", 1, 6, Split::query);
  single.add("g1", 1, 6, Split::gallery);
  CHECK(contains(finding(examine(single, false), "one_camera").message,
                 "from camera 6, so no gallery image is ignored"));
  CHECK(examine(single, false).match.matched == 1);
}

TEST_CASE("only cameras of people who are asked for and are there decide whether cameras are known") {
  MadeDataset data = healthy();
  data.add("g8", 0, unknown_camera, Split::gallery);
  data.add("g9", junk_identity, unknown_camera, Split::gallery);
  data.add("g10", unlabeled_identity, unknown_camera, Split::gallery);
  data.add("q9", 99, unknown_camera, Split::query);
  const DoctorReport report = examine(data, false);
  CHECK(report.match.cameras_known);
  CHECK(find(report, "cameras_partly_known") == nullptr);
  CHECK(report.match.distractors == 2);
  CHECK(report.match.identity_missing == 1);
}

TEST_CASE("labeled queries before an unlabeled gallery cannot be evaluated") {
  MadeDataset data;
  data.add("q1", 1, 1, Split::query);
  data.add("g1", unlabeled_identity, 2, Split::gallery);
  CHECK(contains(finding(examine(data, false), "nothing_to_evaluate").message, "no gallery image is"));
}

TEST_CASE("missing halves and labels of the test set are remarked upon") {
  MadeDataset queries;
  queries.add("q1", 1, 1, Split::query);
  CHECK(finding(examine(queries, false), "no_gallery").severity == Severity::error);

  MadeDataset gallery;
  gallery.add("g1", unlabeled_identity, unknown_camera, Split::gallery);
  CHECK(finding(examine(gallery, false), "no_queries").severity == Severity::note);
  CHECK(examine(gallery, false).findings.size() == 1);

  gallery.add("q1", unlabeled_identity, unknown_camera, Split::query);
  CHECK(finding(examine(gallery, false), "unlabeled_queries").severity == Severity::note);

  MadeDataset mixed = healthy();
  mixed.add("q8", unlabeled_identity, 1, Split::query);
  mixed.add("q9", junk_identity, 1, Split::query);
  const DoctorReport report = examine(mixed, false);
  CHECK(finding(report, "some_unlabeled_queries").examples == Names{"q8"});
  CHECK(finding(report, "junk_queries").examples == Names{"q9"});
}

TEST_CASE("identities in training and in test are listed, and neither junk nor distractors are one") {
  MadeDataset data = healthy();
  data.add("g8", 2, 1, Split::gallery);
  data.add("t8", 12, 1, Split::train);
  data.add("g9", junk_identity, 1, Split::gallery);
  data.add("t9", 0, 1, Split::train);
  data.add("g10", 0, 1, Split::gallery);
  CHECK(finding(examine(data, false), "identity_in_train_and_test").examples ==
        Names{"identity 2", "identity 12"});
}

TEST_CASE("images that are wide or tiny are remarked upon") {
  MadeDataset data = healthy();
  data.add("t8", 1, 1, Split::train, 60, "", {64, 48});
  data.add("t9", 1, 1, Split::train, 61, "", {10, 20});
  const DoctorReport report = examine(data, true);
  CHECK(contains(finding(report, "wide_images").message, "1 image is wider than tall"));
  CHECK(contains(finding(report, "small_images").message, "1 image is less than 32 pixels tall"));
}

TEST_CASE("errors come before warnings, warnings before notes") {
  MadeDataset data = healthy();
  data.add("t6", 3, 1, Split::train);
  data.add("g8", 2, 1, Split::gallery);
  data.add_unreadable("t9", 2, 1, Split::train);
  const DoctorReport report = examine(data, true);
  REQUIRE(report.findings.size() == 3);
  CHECK(report.findings[0].severity == Severity::error);
  CHECK(report.findings[1].severity == Severity::warning);
  CHECK(report.findings[2].severity == Severity::note);
}

TEST_CASE("the text shows a few examples and counts the rest") {
  MadeDataset data = healthy();
  for (int i = 0; i < 7; ++i) data.add("q-lost-" + std::to_string(i), 100 + i, 1, Split::query);
  const std::string text = doctor_text(examine(data, true));
  CHECK(contains(text, "warning: 7 queries of 9 have no other image of the same identity in the gallery"));
  CHECK(contains(text, "    q-lost-4\n    and 2 more\n"));
  CHECK_FALSE(contains(text, "q-lost-5"));
  CHECK(contains(text, "What to do: "));
  CHECK(contains(text, "Findings: 0 errors, 1 warning, 0 notes."));
  CHECK(contains(text, "\nsize, W x H             16 x 32               16 x 32               16 x 32\n"));
  CHECK(contains(text, "number of images, train:\n  2 - 3         2       ####"));
  CHECK(contains(text, "Evaluation: 2 of 9 queries count for the scores."));
  CHECK_FALSE(contains(text, " \n"));
}

TEST_CASE("the JSON holds everything, and names that are not UTF-8 do not break it") {
  MadeDataset data = healthy();
  data.add("t8", 1, 1, Split::train, 7);
  data.add(
      "t\xFF"
      "9",
      2, unknown_camera, Split::train, 7);
  data.add_unreadable("t7", 2, 1, Split::train);
  const auto json = nlohmann::json::parse(doctor_json(examine(data, true)));
  CHECK(json["decoded"] == true);
  CHECK(json["splits"]["train"]["images"] == 8);
  CHECK(json["splits"]["train"]["cameras"]["unknown"] == 1);
  CHECK(json["splits"]["train"]["images_per_identity"]["maximum"] == 5);
  CHECK(json["splits"]["query"]["sizes"][0] ==
        nlohmann::json({{"width", 16}, {"height", 32}, {"images", 2}}));
  CHECK(json["match"]["matched"] == 2);
  CHECK(json["unreadable"][0]["path"] == "t7");
  REQUIRE(json["duplicates"].size() == 1);
  CHECK(json["duplicates"][0].size() == 2);
  CHECK(json["duplicates"][0][1]["camera"].is_null());
  CHECK(json["findings"][0]["severity"] == "error");
}

TEST_CASE("every image is worked on once, and progress is told by the calling thread") {
  std::vector<std::atomic<int>> done(500);
  CountingSink sink;
  data::for_each_image(done.size(), "doctor", &sink, [&](std::size_t i) { ++done[i]; });
  CHECK(std::all_of(done.begin(), done.end(), [](const auto& count) { return count == 1; }));
  CHECK(sink.only_caller);
  CHECK(sink.finished.stage == "doctor");
  CHECK(sink.finished.done == 500);
  CHECK(sink.finished.total == 500);
  data::for_each_image(0, "doctor", nullptr, [](std::size_t) { FAIL("there is nothing to do"); });
}

TEST_CASE("of several failures that of the first image is thrown, and the work ends") {
  std::atomic<int> begun = 0;
  const std::string text = error_of([&] {
    data::for_each_image(100000, "draw", nullptr, [&](std::size_t i) {
      ++begun;
      if (i == 3) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (i >= 3) throw DataError("image " + std::to_string(i), "fails");
    });
  });
  CHECK(text == "image 3: error: fails");
  CHECK(begun < 1000);
}

TEST_CASE("images below the folder that are not part of the data set are counted by folder") {
  const PictureFolder folder;
  for (const char* name : {"a.png", "list/b.png", "list/c.png", "spare/d.png", "spare/deep/e.png", "f.png"}) {
    folder.write_picture(name, 1);
  }
  folder.write("notes.txt", "no image");
  const auto list =
      folder.write("list.csv", "path,split\na.png,gallery\n./list/b.png,gallery\nlist/c.png,query\n");
  const auto report = examine(Manifest({list}, {}), false, nullptr, list);
  REQUIRE(report.unused.size() == 2);
  CHECK(report.unused[0].folder.empty());
  CHECK(report.unused[0].images == 1);
  CHECK(report.unused[1].folder == "spare");
  CHECK(report.unused[1].images == 2);
  const auto note = finding(report, "unused_images");
  CHECK(note.message == "3 images below the data set's folder are not part of the data set.");
  CHECK(note.examples == std::vector<std::string>{"f.png", "spare/d.png and 1 more in spare"});
  CHECK(contains(doctor_json(report), "\"folder\": \"spare\""));
  CHECK(find(examine(Manifest({list}, {}), false), "unused_images") == nullptr);
}

TEST_CASE("an identity number that two domains use is listed, in training and in test apart") {
  MadeDataset data;
  data.add("t1", 1, 1, Split::train, 1, "day");
  data.add("t2", 1, 2, Split::train, 2, "night");
  data.add("t3", 2, 1, Split::train, 3, "day");
  data.add("q1", 11, 1, Split::query, 4, "day");
  data.add("g1", 11, 2, Split::gallery, 5, "night");
  data.add("g2", 12, 2, Split::gallery, 6, "night");
  data.add("g3", unlabeled_identity, 2, Split::gallery, 7, "day");
  // Distractors are different people.
  data.add("g4", 0, 1, Split::gallery, 8, "day");
  data.add("g5", 0, 2, Split::gallery, 9, "night");
  const auto found = finding(examine(data, false), "identity_in_several_domains");
  CHECK(found.severity == Severity::warning);
  CHECK(found.examples ==
        Names{"train: identity 1 in 'day' and 'night'", "test: identity 11 in 'day' and 'night'"});

  MadeDataset apart;
  apart.add("t1", 1, 1, Split::train, 1, "day");
  apart.add("t2", 2, 2, Split::train, 2, "night");
  CHECK(find(examine(apart, false), "identity_in_several_domains") == nullptr);
}

TEST_CASE("an identity number in two folders with the same cameras may be two data sets joined") {
  const auto joined = [](std::int64_t camera) {
    MadeDataset data;
    for (std::int64_t i = 1; i <= 2; ++i) {
      data.add("market/" + std::to_string(i) + ".jpg", i, 1, Split::train);
      data.add("duke/" + std::to_string(i) + ".jpg", i, camera, Split::train);
    }
    return examine(data, false);
  };
  const auto found = finding(joined(1), "identity_in_several_folders");
  CHECK(found.severity == Severity::note);
  CHECK(found.examples ==
        Names{"train: identity 1 in 'duke' and 'market'", "train: identity 2 in 'duke' and 'market'"});
  // Folders of cameras, of people and of splits.
  CHECK(find(joined(2), "identity_in_several_folders") == nullptr);
  MadeDataset people;
  people.add("1/a.jpg", 1, 1, Split::train);
  people.add("2/a.jpg", 2, 1, Split::train);
  people.add("query/1.jpg", 3, 1, Split::query);
  people.add("query/2.jpg", 4, 1, Split::query);
  people.add("gallery/1.jpg", 3, 1, Split::gallery);
  people.add("gallery/2.jpg", 4, 1, Split::gallery);
  CHECK(find(examine(people, false), "identity_in_several_folders") == nullptr);
}

TEST_CASE("tracklets are counted, and queries and their matches by tracklet") {
  auto data = healthy();
  for (int i = 0; i < 5; ++i) data.add_frame("a", "ga" + std::to_string(i), 11, 3, Split::gallery);
  for (int i = 0; i < 2; ++i) data.add_frame("b", "gb" + std::to_string(i), 12, 3, Split::gallery);
  for (int i = 0; i < 3; ++i) data.add_frame("c", "gc" + std::to_string(i), 0, 1, Split::gallery);
  for (int i = 0; i < 4; ++i) data.add_frame("a", "qa" + std::to_string(i), 11, 1, Split::query);
  const auto report = examine(data, false);
  CHECK(find(report, "tracklet_of_several") == nullptr);
  CHECK(find(report, "tracklets_of_one_frame") == nullptr);
  REQUIRE(report.splits.size() == 3);
  CHECK(report.splits[0].tracklets == 0);
  CHECK(report.splits[1].tracklets == 1);
  const auto& gallery = report.splits[2];
  CHECK(gallery.images == 12);
  CHECK(gallery.tracklets == 3);
  CHECK(gallery.single_frame_tracklets == 0);
  CHECK(gallery.frames_per_tracklet.minimum == 2);
  CHECK(gallery.frames_per_tracklet.median == 3);
  CHECK(gallery.frames_per_tracklet.maximum == 5);
  CHECK(report.match.queries == 3);
  CHECK(report.match.matched == 3);
  CHECK(report.match.distractors == 1);
  const auto text = doctor_text(report);
  CHECK(contains(text, "tracklets               0                     1                     3\n"));
  CHECK(contains(text, "frames per tracklet     -                     4 / 4 / 4             2 / 3 / 5\n"));
  const auto json = nlohmann::json::parse(doctor_json(report));
  CHECK(json["splits"]["gallery"]["tracklets"] == 3);
  CHECK(json["splits"]["gallery"]["frames_per_tracklet"]["median"] == 3);
  CHECK_FALSE(contains(doctor_text(examine(healthy(), false)), "tracklet"));
}

TEST_CASE("tracklets without a match are named by their first frames, as many as are counted") {
  auto data = healthy();
  for (int i = 0; i < 3; ++i) data.add_frame("a", "qa" + std::to_string(i), 13, 1, Split::query);
  for (int i = 0; i < 2; ++i) data.add_frame("b", "qb" + std::to_string(i), 14, 1, Split::query);
  for (int i = 0; i < 2; ++i) data.add_frame("b", "gb" + std::to_string(i), 14, 1, Split::gallery);
  const auto report = examine(data, false);
  CHECK(report.match.identity_missing == 1);
  CHECK(finding(report, "identity_missing").examples == Names{"qa0"});
  CHECK(report.match.same_camera_only == 1);
  CHECK(finding(report, "no_cross_camera_match").examples == Names{"qb0"});
}

TEST_CASE("a tracklet of several people or cameras is an error, one of a single frame a note") {
  auto data = healthy();
  data.add_frame("a", "ga1", 11, 3, Split::gallery);
  data.add_frame("a", "ga2", 12, 3, Split::gallery);
  data.add_frame("a", "ga3", 12, 3, Split::gallery);
  data.add_frame("b", "gb1", 11, 2, Split::gallery);
  data.add_frame("b", "gb2", 11, 3, Split::gallery);
  data.add_frame("c", "gc1", 11, 3, Split::gallery);
  const auto report = examine(data, false);
  const auto several = finding(report, "tracklet_of_several");
  CHECK(several.severity == Severity::error);
  CHECK(contains(several.message, "2 tracklets have frames that differ"));
  CHECK(several.examples == Names{"ga2 has another identity than ga1 (tracklet a)",
                                  "gb2 has another camera than gb1 (tracklet b)"});
  CHECK_FALSE(is_usable(report));
  const auto single = finding(report, "tracklets_of_one_frame");
  CHECK(single.severity == Severity::note);
  CHECK(single.examples == Names{"gc1"});
}
