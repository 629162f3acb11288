#include "market1501.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "command/convert.h"
#include "made_dataset.h"
#include "market1501_layout.h"

using namespace kindred;
using namespace kindred::market1501;
using namespace kindred::test;

namespace {

Market1501 dataset(const std::filesystem::path& root) {
  return Market1501({root, "bounding_box_train", "query", "bounding_box_test"}, {});
}

std::string refusal(const std::filesystem::path& root) {
  return error_of([&] { (void)dataset(root).samples(); });
}

void write_small(const PictureFolder& folder) {
  folder.write("bounding_box_train/0002_c1s1_000451_03.jpg", "");
  folder.write("bounding_box_train/0007_c3s3_077419_03.jpg", "");
  folder.write("query/0001_c1s1_001051_00.jpg", "");
  folder.write("bounding_box_test/0001_c2s1_001051_01.jpg", "");
  folder.write("bounding_box_test/0000_c6s1_000001_01.jpg", "");
  folder.write("bounding_box_test/-1_c1s1_000401_03.jpg", "");
  folder.write("bounding_box_test/Thumbs.db", "");
  folder.write("readme.txt", "");
}

}  // namespace

TEST_CASE("names of Market-1501, DukeMTMC and MSMT17 give identity and camera") {
  const auto check = [](const char* name, std::int64_t identity, std::int64_t camera) {
    CAPTURE(name);
    const auto parsed = parse_market_name(name);
    REQUIRE(parsed.has_value());
    CHECK(parsed->identity == identity);
    CHECK(parsed->camera == camera);
  };
  check("0002_c1s1_000451_03.jpg", 2, 1);
  check("-1_c6s2_000451_03.jpg", junk_identity, 6);
  check("0000_c3s1_000451_03.jpg", 0, 3);
  check("0001_c2_f0046182.jpg", 1, 2);
  check("0000_c14_0002.jpg", 0, 14);
  check("12345_c012_1.png", 12345, 12);
  check("7_c1.png", 7, 1);
}

TEST_CASE("names of another form are not understood") {
  for (const char* name :
       {"", "photo.jpg", "0002.jpg", "0002_1s1_000451.jpg", "0002_c_000451.jpg", "0002_cs1_1.jpg",
        "_c1s1_0.jpg", "-2_c1s1_000451_03.jpg", "-1c1s1.jpg", "0002_c1s_0.jpg", "0002_c1x_0.jpg",
        "0002-c1s1_000451_03.jpg", "99999999999999999999_c1s1_0.jpg", " 2_c1s1_0.jpg"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_market_name(name).has_value());
  }
}

TEST_CASE("the folders give the splits, and each split is ordered by name") {
  const PictureFolder folder;
  write_small(folder);
  const auto samples = dataset(folder.path()).samples();
  REQUIRE(samples.size() == 6);
  const auto check = [&](std::size_t i, const char* path, std::int64_t identity, std::int64_t camera,
                         Split split) {
    CHECK(samples[i].path == path);
    CHECK(samples[i].identity == identity);
    CHECK(samples[i].camera == camera);
    CHECK(samples[i].split == split);
    CHECK(samples[i].domain.empty());
  };
  check(0, "bounding_box_train/0002_c1s1_000451_03.jpg", 2, 1, Split::train);
  check(1, "bounding_box_train/0007_c3s3_077419_03.jpg", 7, 3, Split::train);
  check(2, "query/0001_c1s1_001051_00.jpg", 1, 1, Split::query);
  check(3, "bounding_box_test/-1_c1s1_000401_03.jpg", junk_identity, 1, Split::gallery);
  check(4, "bounding_box_test/0000_c6s1_000001_01.jpg", 0, 6, Split::gallery);
  check(5, "bounding_box_test/0001_c2s1_001051_01.jpg", 1, 2, Split::gallery);
}

TEST_CASE("an image with a foreign name is refused by name, with the pattern") {
  const PictureFolder folder;
  write_small(folder);
  const auto stray = folder.write("query/me.jpg", "");
  const std::string text = refusal(folder.path());
  CHECK(contains(text, stray.string() + ": error: is not named IIII_cC"));
  CHECK(contains(text, "0002_c1s1_000451_03.jpg"));
}

TEST_CASE("missing and empty folders are named") {
  const PictureFolder folder;
  CHECK(contains(refusal(folder.path() / "none"), "is not a folder"));
  CHECK(contains(refusal(folder.path()), "contains none of the folders"));
  folder.write("query/0001_c1s1_001051_00.jpg", "");
  CHECK(contains(refusal(folder.path()), "contains 'query', but not its gallery 'bounding_box_test'"));
  std::filesystem::create_directory(folder.path() / "bounding_box_test");
  CHECK(contains(refusal(folder.path()), "bounding_box_test: error: contains no images"));
  std::filesystem::remove_all(folder.path() / "query");
  CHECK(contains(refusal(folder.path()), "but not 'query'"));
}

TEST_CASE("training alone and testing alone are data sets too") {
  const PictureFolder train;
  train.write("bounding_box_train/0002_c1s1_000451_03.jpg", "");
  CHECK(dataset(train.path()).samples().size() == 1);
  CHECK(dataset(train.path()).recognize() == Recognition::likely);

  const PictureFolder test;
  test.write("bounding_box_test/0001_c2s1_001051_01.jpg", "");
  test.write("query/0001_c1s1_001051_00.jpg", "");
  CHECK(dataset(test.path()).samples().size() == 2);
  CHECK(dataset(test.path()).recognize() == Recognition::likely);
}

TEST_CASE("the three folders are recognized, others are not") {
  const PictureFolder folder;
  CHECK(dataset(folder.path()).recognize() == Recognition::no);
  CHECK(dataset(folder.path() / "none").recognize() == Recognition::no);
  folder.write("bounding_box_train/photo.jpg", "");
  CHECK(dataset(folder.path()).recognize() == Recognition::no);
  write_small(folder);
  CHECK(dataset(folder.path()).recognize() == Recognition::certain);
}

TEST_CASE("a sample's pixels come from its file") {
  const PictureFolder folder;
  folder.write_picture("bounding_box_train/0002_c1s1_000451_03.png", 4);
  const auto market = dataset(folder.path());
  CHECK(equal_pixels(market.image(market.samples().at(0)), picture(4)));
  std::filesystem::remove(folder.path() / "bounding_box_train/0002_c1s1_000451_03.png");
  Sample gone;
  gone.path = "bounding_box_train/0002_c1s1_000451_03.png";
  CHECK(contains(error_of([&] { (void)market.image(gone); }), gone.path + ": error: does not exist"));
}

TEST_CASE("a data set written in the layout is recognized and read back, but for its domains") {
  const TemporaryFolder folder;
  const auto data = mixed_dataset();
  command::convert_dataset(data, Market1501Layout({}, {}), {.out = folder / "out", .layout = "market1501"});
  CHECK(files_below(folder / "out") ==
        std::vector<std::string>{
            "bounding_box_test/-1_c3s1_000001_00.jpg", "bounding_box_test/0000_c3s1_000001_00.jpg",
            "bounding_box_test/0007_c3s1_000001_00.jpg", "bounding_box_train/0003_c1s1_000001_00.jpg",
            "bounding_box_train/0003_c1s1_000002_00.jpg", "bounding_box_train/12345_c12s1_000001_00.jpg",
            "query/0007_c2s1_000001_00.jpg"});
  const auto market = dataset(folder / "out");
  CHECK(market.recognize() == Recognition::certain);
  CHECK(facts_of(market.samples()) == facts_of(data.samples(), false));
  CHECK(market.image(market.samples().at(0)).size() == cv::Size(16, 32));
}

TEST_CASE("the layout needs an identity and a camera of each image") {
  const auto refusal_of = [](std::int64_t identity, std::int64_t camera) {
    return error_of([&] {
      (void)Market1501Layout({}, {}).files({{"a.png", identity, camera, "", Split::train}}, "jpg");
    });
  };
  CHECK(refusal_of(unlabeled_identity, 1) ==
        "a.png: error: is unlabeled, but the file names of the layout 'market1501' need an identity; use the "
        "layout 'manifest'");
  CHECK(refusal_of(1, unknown_camera) ==
        "a.png: error: has no camera, but the file names of the layout 'market1501' need one; use the layout "
        "'manifest'");
}

TEST_CASE("half a test set cannot be written in the layout, which nothing would read back") {
  const Market1501Layout layout({}, {});
  const Sample train{"a.png", 1, 1, "", Split::train};
  const Sample query{"b.png", 2, 1, "", Split::query};
  const Sample gallery{"c.png", 2, 2, "", Split::gallery};
  CHECK(error_of([&] {
          (void)layout.files({train, gallery}, "jpg");
        }) ==
        "layout 'market1501': error: needs both queries and gallery or neither, but the data set has no "
        "queries; use the layout 'manifest'");
  CHECK(contains(error_of([&] { (void)layout.files({query}, "jpg"); }), "has no gallery"));
  CHECK(layout.files({train}, "jpg").images.size() == 1);
  CHECK(layout.files({query, gallery}, "jpg").images.size() == 2);
}

TEST_CASE("DukeMTMC-reID and Occluded-Duke are read, and folders may be called otherwise") {
  const PictureFolder folder;
  folder.write_picture("Occluded_Duke/bounding_box_train/0001_c2_f0046182.jpg", 1);
  folder.write_picture("Occluded_Duke/query/0005_c1_f0049053.jpg", 2);
  folder.write_picture("Occluded_Duke/bounding_box_test/0005_c8_f0061461.jpg", 3);
  const auto duke = dataset(folder / "Occluded_Duke");
  CHECK(facts_of(duke.samples()) ==
        std::multiset<std::string>{"1 c2 train ", "5 c1 query ", "5 c8 gallery "});
  CHECK(duke.recognize() == Recognition::certain);
  const Market1501 renamed(
      {folder.path(), "Occluded_Duke/bounding_box_train", "Occluded_Duke/query", "gallery"}, {});
  CHECK(contains(error_of([&] { (void)renamed.samples(); }),
                 "contains 'Occluded_Duke/query', but not its gallery 'gallery'"));
}

TEST_CASE("a folder of Market-1501 lies in the data set's own") {
  for (const char* name : {"", "/data/train", "../train"}) {
    Table table;
    table.set("root", Value("market"));
    table.set("train", Value(name));
    Diagnostics diagnostics;
    static_cast<void>(Market1501::schema().parse(Value(std::move(table)), "dataset", diagnostics));
    REQUIRE_FALSE(diagnostics.empty());
    CHECK(contains(diagnostics.all().front().message, "the name of a folder in root"));
  }
}
