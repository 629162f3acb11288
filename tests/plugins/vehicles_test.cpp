#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "made_dataset.h"
#include "vehicleid.h"
#include "veri776.h"

using namespace kindred;
using namespace kindred::vehicles;
using namespace kindred::test;

namespace {

Veri776 veri_at(const std::filesystem::path& root) {
  return Veri776({root, "image_train", "image_query", "image_test"}, {});
}

void write_veri(const PictureFolder& folder) {
  folder.write_picture("image_train/0001_c001_00016450_0.jpg", 1);
  folder.write_picture("image_train/0003_c020_00016480_0.jpg", 2);
  folder.write_picture("image_query/0002_c002_00030600_0.jpg", 3);
  folder.write_picture("image_test/0002_c003_00030670_1.jpg", 4);
  folder.write("name_query.txt", "0002_c002_00030600_0.jpg\r\n");
  folder.write("train_label.xml", "<Items/>");
}

VehicleId::Params vehicleid_params(const std::filesystem::path& root, std::int64_t seed = 1) {
  VehicleId::Params params;
  params.root = root;
  params.gallery_seed = seed;
  return params;
}

std::string vehicleid_refusal(const TemporaryFolder& folder) {
  return folder.without(error_of([&] { (void)VehicleId(vehicleid_params(folder.path()), {}).samples(); }));
}

/// Three training images, and test images of three vehicles: 3, 4 and 1.
void write_vehicleid(const PictureFolder& folder) {
  std::string train;
  std::string test;
  for (int i = 1; i <= 11; ++i) {
    const std::string name = "00000" + std::string(i < 10 ? "0" : "") + std::to_string(i);
    folder.write_picture("image/" + name + ".jpg", i);
    if (i <= 3) {
      train += name + " " + std::to_string(i % 2) + "\n";
    } else {
      test += name + " " + (i <= 6 ? "70" : i <= 10 ? "71" : "72") + "\n";
    }
  }
  folder.write("train_test_split/train_list.txt", train);
  folder.write("train_test_split/test_list_800.txt", test);
}

std::set<std::string> paths_of(const std::vector<Sample>& samples, Split split) {
  std::set<std::string> paths;
  for (const auto& sample : samples) {
    if (sample.split == split) paths.insert(sample.path);
  }
  return paths;
}

}  // namespace

TEST_CASE("VeRi-776's names give vehicle and camera") {
  const PictureFolder folder;
  write_veri(folder);
  const auto dataset = veri_at(folder.path());
  const auto samples = dataset.samples();
  CHECK(facts_of(samples) ==
        std::multiset<std::string>{"1 c1 train ", "3 c20 train ", "2 c2 query ", "2 c3 gallery "});
  CHECK(samples[2].path == "image_query/0002_c002_00030600_0.jpg");
  CHECK(equal_pixels(dataset.image(samples[2]), read_image(folder / samples[2].path)));
  CHECK(dataset.recognize() == Recognition::certain);
}

TEST_CASE("VeRi-776's lists say which images belong to it") {
  const PictureFolder folder;
  write_veri(folder);
  folder.write("name_train.txt", "0003_c020_00016480_0.jpg\n");
  CHECK(paths_of(veri_at(folder.path()).samples(), Split::train) ==
        std::set<std::string>{"image_train/0003_c020_00016480_0.jpg"});
  folder.write("name_train.txt", "0003_c020_00016480_0.jpg\n0009_c001_1_0.jpg\n");
  CHECK(contains(error_of([&] { (void)veri_at(folder.path()).samples(); }),
                 "name_train.txt:2: error: image '0009_c001_1_0.jpg' is not in the folder of its split"));
}

TEST_CASE("VeRi-776's folders may be called otherwise, and foreign names are refused") {
  const PictureFolder folder;
  folder.write("a/0001_c001_1_0.jpg", "");
  CHECK(Veri776({folder.path(), "a", "b", "c"}, {}).samples().size() == 1);
  CHECK(contains(error_of([&] { (void)veri_at(folder.path()).samples(); }),
                 "contains none of the folders 'image_train', 'image_query' and 'image_test'"));
  CHECK(veri_at(folder.path()).recognize() == Recognition::no);
  folder.write("a/car.jpg", "");
  CHECK(contains(error_of([&] {
                   (void)Veri776({folder.path(), "a", "b", "c"}, {}).samples();
                 }),
                 "car.jpg: error: is not named IIII_cCCC_..."));
}

TEST_CASE("VehicleID's gallery is one image of each vehicle, and all others are queries") {
  const PictureFolder folder;
  write_vehicleid(folder);
  const VehicleId dataset(vehicleid_params(folder.path()), {});
  const auto samples = dataset.samples();
  CHECK(paths_of(samples, Split::train) ==
        std::set<std::string>{"image/0000001.jpg", "image/0000002.jpg", "image/0000003.jpg"});
  std::map<std::int64_t, int> gallery;
  std::map<std::int64_t, int> queries;
  for (const auto& sample : samples) {
    CHECK(sample.camera == unknown_camera);
    if (sample.split == Split::gallery) ++gallery[sample.identity];
    if (sample.split == Split::query) ++queries[sample.identity];
  }
  CHECK(gallery == std::map<std::int64_t, int>{{70, 1}, {71, 1}, {72, 1}});
  CHECK(queries == std::map<std::int64_t, int>{{70, 2}, {71, 3}});
  CHECK(dataset.recognize() == Recognition::certain);
  CHECK(equal_pixels(dataset.image(samples[0]), read_image(folder / samples[0].path)));
}

TEST_CASE("VehicleID's gallery depends on the seed and not on the order of the list") {
  const PictureFolder folder;
  write_vehicleid(folder);
  const auto gallery = [&](std::int64_t seed) {
    return paths_of(VehicleId(vehicleid_params(folder.path(), seed), {}).samples(), Split::gallery);
  };
  const auto first = gallery(1);
  std::set<std::set<std::string>> drawn;
  for (std::int64_t seed = 1; seed <= 10; ++seed) drawn.insert(gallery(seed));
  CHECK(drawn.size() > 3);  // of 12
  const auto list = read_bytes(folder / "train_test_split/test_list_800.txt");
  const auto middle = list.find('\n', list.size() / 2) + 1;
  folder.write("train_test_split/test_list_800.txt", list.substr(middle) + list.substr(0, middle));
  CHECK(gallery(1) == first);
}

TEST_CASE("with seed 0 each test image of VehicleID is a query and in the gallery") {
  const PictureFolder folder;
  write_vehicleid(folder);
  const auto samples = VehicleId(vehicleid_params(folder.path(), 0), {}).samples();
  CHECK(paths_of(samples, Split::query).size() == 8);
  CHECK(paths_of(samples, Split::query) == paths_of(samples, Split::gallery));
}

TEST_CASE("missing files of VehicleID are named") {
  const PictureFolder folder;
  write_vehicleid(folder);
  auto params = vehicleid_params(folder.path());
  params.test_list = "test_list_1600.txt";
  CHECK(contains(error_of([&] { (void)VehicleId(params, {}).samples(); }),
                 "does not contain 'test_list_1600.txt', but 'test_list_800.txt'; choose one of them"));
  std::filesystem::remove(folder / "image/0000005.jpg");
  CHECK(vehicleid_refusal(folder).starts_with(
      "train_test_split/test_list_800.txt:2: error: image '0000005.jpg' is not in image; unpack"));
  std::filesystem::remove(folder / "train_test_split/train_list.txt");
  CHECK(VehicleId(vehicleid_params(folder.path()), {}).recognize() == Recognition::likely);
  std::filesystem::remove(folder / "train_test_split/test_list_800.txt");
  CHECK(contains(vehicleid_refusal(folder), "contains neither 'train_list.txt' nor 'test_list_800.txt'"));
  std::filesystem::remove_all(folder / "image");
  CHECK(contains(error_of([&] { (void)VehicleId(vehicleid_params(folder.path()), {}).samples(); }),
                 "does not contain both folders 'image' and 'train_test_split'"));
  CHECK(VehicleId(vehicleid_params(folder.path()), {}).recognize() == Recognition::no);
}

TEST_CASE("VeRi-776's views are read where their lists lie beside the images") {
  const PictureFolder folder;
  write_veri(folder);
  for (const auto& sample : veri_at(folder.path()).samples()) CHECK(sample.view == unknown_view);
  folder.write("keypoint_train.txt",
               "VeRi/image_train/0001_c001_00016450_0.jpg -1 -1 20 124 5\n"
               "VeRi/image_train/0003_c020_00016480_0.jpg -1 -1 20 124 6\n"
               "VeRi/image_train/0003_c020_00016480_0.jpg -1 -1 21 124 7\r\n");
  folder.write("keypoint_test.txt", "VeRi/image_test/0002_c002_00030600_0.jpg 3 4 0\n");
  const auto samples = veri_at(folder.path()).samples();
  REQUIRE(samples.size() == 4);
  CHECK(samples[0].view == 5);
  CHECK(samples[1].view == 7);
  CHECK(samples[2].view == 0);
  CHECK(samples[3].view == unknown_view);
  folder.write("keypoint_test.txt", "a.jpg 3 4 8\n");
  CHECK(contains(error_of([&] { (void)veri_at(folder.path()).samples(); }),
                 "keypoint_test.txt:1: error: does not end in a view from 0 to 7"));
}
