#include "kindred/search.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <opencv2/core.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "file/feature_files.h"
#include "file/feature_shards.h"
#include "file/npy.h"
#include "kindred/core/random.h"
#include "made_entries.h"
#include "temporary_folder.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> found_ids(const std::vector<Match>& matches) {
  std::vector<std::string> ids;
  for (const auto& match : matches) ids.push_back(match.id);
  return ids;
}

/// By comparing with each one, in 64 bits.
std::vector<std::string> nearest_by_hand(const Gallery& gallery, const cv::Mat& query, std::size_t top) {
  std::vector<std::pair<double, std::string>> all;
  for (const auto& id : gallery.ids()) all.emplace_back(-query.dot(gallery.descriptor(id)), id);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < std::min(top, all.size()); ++i) ids.push_back(all[i].second);
  return ids;
}

}  // namespace

TEST_CASE(
    "the most similar entries come first, with their cosines, and equal ones in the order they were added") {
  Gallery gallery(2, "model");
  const cv::Mat rows = (cv::Mat_<float>(4, 2) << 0, 3, 1, 1, 5, 0, 0, 7);
  const std::vector<std::string> ids{"up", "middle", "right", "up too"};
  gallery.add(ids, rows);
  const cv::Mat query = (cv::Mat_<float>(1, 2) << 0, 2);
  const auto found = gallery.search(query, {.top = 3});
  REQUIRE(found.size() == 1);
  CHECK(found_ids(found[0]) == std::vector<std::string>{"up", "up too", "middle"});
  CHECK(found[0][0].similarity == doctest::Approx(1));
  CHECK(found[0][2].similarity == doctest::Approx(std::sqrt(0.5)));
  CHECK(gallery.size() == 4);
  CHECK(gallery.dim() == 2);
  CHECK(gallery.model() == "model");
  CHECK(gallery.descriptor("right").at<float>(0) == doctest::Approx(1));
}

TEST_CASE("similarities are from -1 to 1, wherever rounding leads") {
  constexpr int dim = 512;
  constexpr std::uint64_t count = 100;
  Gallery gallery(dim);
  gallery.add(made_ids(0, count), made_rows(0, count, dim));
  const auto queries = made_rows(0, count, dim);
  for (const auto& [sign, place] : {std::pair(1.0, std::size_t{0}), std::pair(-1.0, count - 1)}) {
    const auto found = gallery.search(queries * sign, {.top = count});
    for (std::size_t q = 0; q < count; ++q) {
      const auto& itself = found[q].at(place);
      CHECK(itself.id == "id" + std::to_string(q));
      CHECK(itself.similarity == doctest::Approx(sign));
      CHECK(std::abs(itself.similarity) <= 1);
    }
  }
}

TEST_CASE("a threshold leaves out what is less similar, and a search of an empty gallery finds nothing") {
  Gallery gallery(2);
  CHECK(gallery.search(cv::Mat(2, 2, CV_32F, cv::Scalar(1)))[1].empty());
  gallery.add("a", (cv::Mat_<float>(1, 2) << 1, 0));
  gallery.add("b", (cv::Mat_<float>(1, 2) << 0, 1));
  const cv::Mat query = (cv::Mat_<float>(1, 2) << 1, 0.1F);
  CHECK(found_ids(gallery.search(query, {.threshold = 0.5F})[0]) == std::vector<std::string>{"a"});
  CHECK(gallery.search(query, {.threshold = 0.999F})[0].empty());
  CHECK(gallery.search(cv::Mat()).empty());
}

TEST_CASE("entries are found by camera and by a window of time") {
  Gallery gallery(made_dim);
  const std::vector<EntryInfo> infos{
      {.camera = 1, .time = 100}, {.camera = 2, .time = 200}, {.camera = 1, .time = 300}, {.camera = 1}};
  gallery.add(made_ids(0, 4), made_rows(0, 4), infos);
  const auto found = [&](SearchOptions options) {
    options.top = 10;
    auto ids = found_ids(gallery.search(made_row(0), options)[0]);
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  using Ids = std::vector<std::string>;
  CHECK(found({.cameras = {1}}) == Ids{"id0", "id2", "id3"});
  CHECK(found({.cameras = {2, 9}}) == Ids{"id1"});
  CHECK(found({.from = 200}) == Ids{"id1", "id2"});
  CHECK(found({.until = 200}) == Ids{"id0"});
  CHECK(found({.cameras = {1}, .from = 100, .until = 300}) == Ids{"id0"});
  CHECK(found({.cameras = {7}}).empty());
  CHECK(gallery.cameras() == std::vector<std::int64_t>{1, 2});
  CHECK(gallery.info("id1") == infos[1]);
}

TEST_CASE("what was removed is found no more, and its id can be used again") {
  Gallery gallery(made_dim);
  gallery.add(made_ids(0, 50), made_rows(0, 50));
  CHECK(gallery.remove("id7"));
  CHECK_FALSE(gallery.remove("id7"));
  CHECK(gallery.size() == 49);
  CHECK_FALSE(gallery.contains("id7"));
  CHECK(gallery.search(made_row(7), {.top = 60})[0].size() == 49);
  CHECK(gallery.search(made_row(7), {.top = 1})[0][0].id != "id7");
  gallery.add("id7", made_row(8));
  const auto found = found_ids(gallery.search(made_row(8), {.top = 2})[0]);
  CHECK(found == std::vector<std::string>{"id8", "id7"});
  CHECK(gallery.ids(48) == std::vector<std::string>{"id49", "id7"});
  CHECK(gallery.ids(0, 2) == std::vector<std::string>{"id0", "id1"});
}

TEST_CASE("a search over many entries in several pieces finds what comparing with each one finds") {
  // Pieces of 16 MB hold 8192 rows of 512 numbers.
  constexpr int dim = 512;
  const TemporaryFolder folder;
  auto disk = Gallery::create(folder / "gallery", dim);
  Gallery memory(dim);
  cv::Mat rows(9000, dim, CV_32F);
  RandomStream random(3);
  for (int y = 0; y < rows.rows; ++y) {
    for (int x = 0; x < dim; ++x) rows.at<float>(y, x) = static_cast<float>(random.uniform(-1, 1));
  }
  const auto ids = made_ids(0, 9000);
  memory.add(ids, rows);
  disk.add(ids, rows);
  memory.remove("id8191");
  disk.remove("id8191");
  const auto on_disk = [&] {
    const GalleryOptions options{.read_only = true, .in_memory = false};
    return Gallery::open(folder / "gallery", options);
  }();
  const auto queries = rows.rowRange(8190, 8194);
  const auto found = memory.search(queries, {.top = 5});
  const auto there = on_disk.search(queries, {.top = 5});
  for (int q = 0; q < 4; ++q) {
    const cv::Mat unit = queries.row(q) / cv::norm(queries.row(q));
    const auto place = static_cast<std::size_t>(q);
    CHECK(found_ids(found[place]) == nearest_by_hand(memory, unit, 5));
    CHECK(found_ids(there[place]) == found_ids(found[place]));
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(there[place][i].similarity == doctest::Approx(found[place][i].similarity).epsilon(1e-6));
    }
  }
  CHECK(found[0][0].id == "id8190");
  CHECK(found[1][0].id != "id8191");
}

TEST_CASE("what cannot be added names the id and changes nothing") {
  const TemporaryFolder folder;
  auto gallery = Gallery::create(folder / "gallery", made_dim);
  gallery.add("there", made_row(1));
  const auto size = fs::file_size(folder / "gallery/gallery.log");
  const auto refused = [&](const std::vector<std::string>& ids, const cv::Mat& rows,
                           const std::vector<EntryInfo>& infos = {}) {
    return error_of([&] { gallery.add(ids, rows, infos); });
  };
  CHECK(refused({"new", "there"}, made_rows(2, 2)) ==
        "there: error: is in the gallery already; remove it first, or use another id");
  CHECK(refused({"new", "new"}, made_rows(2, 2)) == "new: error: is given twice; ids have to differ");
  CHECK(refused({""}, made_row(2)).find("an id is empty") != std::string::npos);
  CHECK(refused({"new"}, cv::Mat::zeros(1, made_dim, CV_32F))
            .starts_with("new: error: its descriptor is zero"));
  cv::Mat bad = made_row(2).clone();
  bad.at<float>(3) = std::numeric_limits<float>::quiet_NaN();
  CHECK(refused({"new"}, bad).starts_with("new: error: its descriptor is not finite"));
  CHECK(refused({"new"}, made_row(2, 9)).find("rows of 9 numbers, but descriptors have 8") !=
        std::string::npos);
  CHECK(refused({"new"}, cv::Mat(1, made_dim, CV_64F)).find("must be rows of CV_32F") != std::string::npos);
  CHECK(refused({"new"}, made_rows(2, 2)).find("1 ids, 2 descriptors") != std::string::npos);
  CHECK(refused({"\xE9"}, made_row(2)).find("its id is not UTF-8") != std::string::npos);
  CHECK(refused({"new"}, made_row(2), {{.label = std::string(70000, 'x')}}).find("70000 bytes") !=
        std::string::npos);
  CHECK(gallery.size() == 1);
  CHECK(fs::file_size(folder / "gallery/gallery.log") == size);
  CHECK(error_of([&] { static_cast<void>(gallery.search(made_row(1), {.top = 0})); }).find("top = 0") !=
        std::string::npos);
  CHECK(error_of([&] { static_cast<void>(gallery.info("gone")); }) == "gone: error: is not in the gallery");
}

TEST_CASE("a gallery on disk is what it was when it is opened again") {
  const TemporaryFolder folder;
  const std::vector<EntryInfo> infos{{.camera = 4, .time = -5, .label = "Ann", .image = "/a b.jpg"}, {}, {}};
  {
    auto gallery = Gallery::create(folder / "gallery", made_dim, "abc");
    gallery.add(made_ids(0, 3), made_rows(0, 3), infos);
    gallery.remove("id1");
    gallery.flush();
  }
  CHECK(Gallery::exists(folder / "gallery"));
  auto gallery = Gallery::open(folder / "gallery");
  CHECK(gallery.notes().empty());
  CHECK(gallery.model() == "abc");
  CHECK(gallery.ids() == std::vector<std::string>{"id0", "id2"});
  CHECK(gallery.info("id0") == infos[0]);
  CHECK(cv::norm(gallery.descriptor("id2"), made_row(2), cv::NORM_INF) < 1e-6);
  gallery.add("more", made_row(9));
  CHECK(gallery.search(made_row(9), {.top = 1})[0][0].id == "more");
}

TEST_CASE("a gallery whose descriptors stay on disk takes the same changes as one in memory") {
  const TemporaryFolder folder;
  { Gallery::create(folder / "gallery", made_dim).add(made_ids(0, 3), made_rows(0, 3)); }
  {
    auto gallery = Gallery::open(folder / "gallery", {.in_memory = false});
    const auto require_entries = [&](const std::vector<std::uint64_t>& numbers) {
      REQUIRE(gallery.size() == static_cast<std::int64_t>(numbers.size()));
      for (const auto number : numbers) {
        const auto id = "id" + std::to_string(number);
        CAPTURE(id);
        CHECK(cv::norm(gallery.descriptor(id), made_row(number), cv::NORM_INF) < 1e-6);
        const auto match = gallery.search(made_row(number), {.top = 1})[0].at(0);
        CHECK(match.id == id);
        CHECK(match.similarity == doctest::Approx(1).epsilon(1e-6));
      }
    };
    gallery.add(made_ids(3, 4), made_rows(3, 4), std::vector<EntryInfo>(4, {.label = "of any length"}));
    require_entries({0, 1, 2, 3, 4, 5, 6});
    CHECK(error_of([&] { gallery.add(std::vector<std::string>{"new", "id2"}, made_rows(8, 2)); }) != "");
    CHECK(gallery.remove("id1"));
    CHECK(gallery.remove("id4"));
    require_entries({0, 2, 3, 5, 6});
    gallery.compact();
    require_entries({0, 2, 3, 5, 6});
    gallery.add("id7", made_row(7));
    require_entries({0, 2, 3, 5, 6, 7});
    gallery.save(folder / "saved");
  }
  const std::vector<std::string> expected{"id0", "id2", "id3", "id5", "id6", "id7"};
  for (const auto* name : {"gallery", "saved"}) {
    const auto again = Gallery::open(folder / name);
    CHECK(again.notes().empty());
    CHECK(again.ids() == expected);
    CHECK(cv::norm(again.descriptor("id7"), made_row(7), cv::NORM_INF) < 1e-6);
    CHECK(again.info("id3").label == "of any length");
  }
}

TEST_CASE("a gallery is refused to the descriptors of another model, and to a second writer") {
  const TemporaryFolder folder;
  const auto gallery = Gallery::create(folder / "gallery", made_dim, "0123456789abcdef");
  const auto other = error_of([&] {
    static_cast<void>(Gallery::open(folder / "gallery", {.read_only = true, .model = "fedcba9876543210"}));
  });
  CHECK(other.find("holds descriptors of another model (0123456789ab... instead of fedcba987654...)") !=
        std::string::npos);
  const auto second = error_of([&] { static_cast<void>(Gallery::open(folder / "gallery")); });
  CHECK(second.find("is in use by process " + std::to_string(::getpid())) != std::string::npos);
  CHECK(second.find("another gallery") != std::string::npos);
  auto reader = Gallery::open(folder / "gallery", {.read_only = true, .model = "0123456789abcdef"});
  CHECK(error_of([&] { reader.add("a", made_row(1)); }).find("cannot be changed") != std::string::npos);
  CHECK(error_of([&] { reader.remove("a"); }).find("cannot be changed") != std::string::npos);
}

TEST_CASE("a gallery is not made where something is already") {
  const TemporaryFolder folder;
  folder.write("full/file", "x");
  CHECK(error_of([&] { static_cast<void>(Gallery::create(folder / "full", 4)); }).find("holds files") !=
        std::string::npos);
  CHECK(read_bytes(folder / "full/file") == "x");
  CHECK(error_of([&] { static_cast<void>(Gallery::create(folder / "full/file", 4)); }).find("is a file") !=
        std::string::npos);
  { const auto gallery = Gallery::create(folder / "new", 4); }
  CHECK(error_of([&] {
          static_cast<void>(Gallery::create(folder / "new", 4));
        }).find("is a gallery already") != std::string::npos);
  CHECK(error_of([&] { Gallery(4).save(folder / "new"); }).find("is a gallery already") != std::string::npos);
  CHECK(error_of([&] { static_cast<void>(Gallery::open(folder / "full")); }).find("without gallery.log") !=
        std::string::npos);
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(error_of([&] {
          static_cast<void>(Gallery::open(folder / "loop"));
        }).find("cannot be read: Too many") != std::string::npos);
  CHECK(error_of([&] { static_cast<void>(Gallery::open(folder / "none")); }).find("does not exist") !=
        std::string::npos);
  CHECK(error_of([&] { static_cast<void>(Gallery(0)); }).find("cannot have 0 numbers") != std::string::npos);
  CHECK(error_of([&] {
          static_cast<void>(Gallery::create(folder / "latin1", 4, "mod\xE8le"));
        }).find("model's id, mod\\xE8le, is not UTF-8") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "latin1"));
}

TEST_CASE("a gallery that was named relative to the working directory stays where it is") {
  const TemporaryFolder folder;
  const auto before = fs::current_path();
  fs::create_directories(folder / "elsewhere");
  fs::current_path(folder.path());
  auto gallery = Gallery::create("mine", made_dim, "m");
  gallery.add(made_ids(0, 3), made_rows(0, 3));
  fs::current_path(folder / "elsewhere");
  gallery.compact();
  gallery.add("later", made_row(30));
  fs::current_path(before);
  CHECK(fs::is_empty(folder / "elsewhere"));
  gallery = Gallery(made_dim, "m");
  CHECK(Gallery::open(folder / "mine").size() == 4);
}

TEST_CASE("features in several arrays that were named relative to the working directory are found later") {
  const TemporaryFolder folder;
  file::write_npy(folder / "mine/gallery.0000.npy", torch::tensor({{3.0F, 0.0F}, {1.0F, 1.0F}}));
  file::write_npy(folder / "mine/gallery.0001.npy", torch::tensor({{0.0F, 2.0F}}));
  file::ShardList{{{"gallery.0000.npy", 2}, {"gallery.0001.npy", 1}}, 2}.write(folder /
                                                                               "mine/gallery.shards.csv");
  folder.write("mine/gallery.csv", "path,identity\na.jpg,1\nb.jpg,1\nc.jpg,2\n");
  const auto before = fs::current_path();
  for (const bool in_memory : {true, false}) {
    fs::current_path(folder.path());
    const auto gallery = Gallery::open("mine", {.in_memory = in_memory});
    fs::current_path(before);
    CHECK(found_ids(gallery.search((cv::Mat_<float>(1, 2) << 1, 0))[0]) ==
          std::vector<std::string>{"a.jpg", "b.jpg", "c.jpg"});
  }
}

TEST_CASE("cameras and times that no search could ask for are refused") {
  Gallery gallery(made_dim, "m");
  const auto refused = [&](const EntryInfo& info) {
    return error_of([&] { gallery.add("a", made_row(1), info); });
  };
  CHECK(refused({.camera = -2}).find("has the camera -2; allowed are 0 to 1000000000") != std::string::npos);
  CHECK(refused({.camera = 1'000'000'001}).find("has the camera 1000000001") != std::string::npos);
  CHECK(refused({.time = 1'000'000'000'000'000}).find("it counts milliseconds since 1970") !=
        std::string::npos);
  CHECK(gallery.size() == 0);
  gallery.add("a", made_row(1), {.camera = 1'000'000'000, .time = 253'402'300'799'999});
  CHECK(gallery.size() == 1);
}

TEST_CASE("a gallery in memory is saved as one on disk") {
  const TemporaryFolder folder;
  Gallery gallery(made_dim, "m");
  gallery.add(made_ids(0, 10), made_rows(0, 10));
  gallery.remove("id3");
  gallery.save(folder / "saved");
  gallery.add("later", made_row(30));
  const auto saved = Gallery::open(folder / "saved");
  CHECK(saved.size() == 9);
  CHECK(saved.model() == "m");
  CHECK(found_ids(saved.search(made_row(5), {.top = 9})[0]) == [&] {
    auto ids = found_ids(gallery.search(made_row(5), {.top = 10})[0]);
    std::erase(ids, "later");
    return ids;
  }());
}

TEST_CASE("features of `kindred embed` are a gallery that is searched and not changed") {
  const TemporaryFolder folder;
  file::Features features;
  features.descriptors = torch::empty({6, made_dim});
  for (std::uint64_t i = 0; i < 6; ++i) {
    std::memcpy(features.descriptors.data_ptr<float>() + i * made_dim, cv::Mat(made_row(i) * 3).ptr<float>(),
                made_dim * sizeof(float));
    Sample sample;
    sample.path = "a/" + std::to_string(i) + ".jpg";
    sample.identity = i == 0 ? unlabeled_identity : static_cast<std::int64_t>(i);
    sample.camera = static_cast<std::int64_t>(i % 2);
    sample.split = Split::gallery;
    features.samples.push_back(sample);
  }
  file::write_features(folder / "gallery", features);
  for (const bool in_memory : {true, false}) {
    for (const auto& path : {folder.path(), folder / "gallery.npy"}) {
      auto gallery = Gallery::open(path, {.in_memory = in_memory, .model = "x"});
      CHECK(gallery.size() == 6);
      REQUIRE(gallery.notes().size() == 1);
      CHECK(gallery.notes()[0].find("does not say which model") != std::string::npos);
      const auto found = gallery.search(made_row(4), {.top = 2, .cameras = {0}})[0];
      CHECK(found[0].id == "a/4.jpg");
      CHECK(found[0].similarity == doctest::Approx(1));
      CHECK(found[0].info.label == "4");
      CHECK(gallery.info("a/0.jpg").label.empty());
      CHECK(cv::norm(gallery.descriptor("a/3.jpg"), made_row(3), cv::NORM_INF) < 1e-6);
      CHECK(error_of([&] { gallery.add("b", made_row(1)); }).find("cannot be changed") != std::string::npos);
    }
    fs::remove_all(folder / "saved");
    Gallery::open(folder.path(), {.in_memory = in_memory}).save(folder / "saved");
    CHECK(Gallery::open(folder / "saved").search(made_row(2))[0][0].id == "a/2.jpg");
  }
  features.samples[5].path = "a/4.jpg";
  file::write_features(folder / "gallery", features);
  CHECK(error_of([&] {
          static_cast<void>(Gallery::open(folder.path()));
        }).find("lists the image 'a/4.jpg' twice") != std::string::npos);
}

TEST_CASE("a gallery whose descriptors are nearly equal says so when it is opened") {
  const TemporaryFolder folder;
  const auto notes = [&](const std::string& name, bool read_only, bool in_memory) {
    return Gallery::open(folder / name, {.read_only = read_only, .in_memory = in_memory}).notes();
  };
  const auto is_warning = [](const std::string& note) {
    return note.starts_with("warning: the descriptors of all 3 gallery images are nearly equal");
  };
  {
    auto gallery = Gallery::create(folder / "gallery", made_dim);
    gallery.add(made_ids(0, 2), made_rows(0, 2));
    for (const auto* id : {"a", "b", "c"}) gallery.add(id, made_row(1) * 2);
  }
  for (const bool read_only : {true, false}) {
    for (const bool in_memory : {true, false}) {
      CHECK(notes("gallery", read_only, in_memory).empty());
    }
  }
  {
    // What was removed does not count.
    auto gallery = Gallery::open(folder / "gallery");
    gallery.remove("id0");
    gallery.remove("id1");
  }
  for (const bool read_only : {true, false}) {
    for (const bool in_memory : {true, false}) {
      const auto said = notes("gallery", read_only, in_memory);
      REQUIRE(said.size() == 1);
      CHECK(is_warning(said[0]));
    }
  }
  file::Features features{torch::ones({3, made_dim}), std::vector<Sample>(3)};
  for (std::size_t i = 0; i < 3; ++i) features.samples[i].path = std::to_string(i);
  file::write_features(folder / "features/gallery", features);
  for (const bool in_memory : {true, false}) {
    const auto said = notes("features", true, in_memory);
    REQUIRE(said.size() == 1);
    CHECK(is_warning(said[0]));
  }
}

TEST_CASE("searches run beside additions, and never see half of one") {
  const TemporaryFolder folder;
  auto gallery = Gallery::create(folder / "gallery", made_dim);
  gallery.add("id0", made_row(0));
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> searchers;
  for (int t = 0; t < 3; ++t) {
    searchers.emplace_back([&] {
      while (!done) {
        const auto found = gallery.search(made_row(0), {.top = 1000});
        // Two are added at a time.
        if (found[0].size() % 2 != 1 || found[0][0].id != "id0") ++wrong;
      }
    });
  }
  for (std::uint64_t i = 1; i < 400; i += 2) gallery.add(made_ids(i, 2), made_rows(i, 2));
  done = true;
  for (auto& thread : searchers) thread.join();
  CHECK(wrong == 0);
  CHECK(gallery.size() == 401);
}

TEST_CASE(
    "an index that no plugin offers and a missing folder of plugins are errors, and searches stay exact") {
  Gallery gallery(made_dim);
  gallery.add(made_ids(0, 20), made_rows(0, 20));
  const std::vector<fs::path> plugins{fs::path(build_directory) / "lib/kindred/plugins"};
  CHECK_THROWS_WITH_AS(
      static_cast<void>(gallery.build_index({.type = "no_such_index", .plugin_folders = plugins})),
      doctest::Contains("unknown index 'no_such_index'"), RecipeError);
  CHECK_THROWS_AS(
      static_cast<void>(gallery.build_index({.type = "hnsw", .plugin_folders = {"/no/such/folder"}})),
      PluginError);
  CHECK(gallery.search(made_row(3), {.top = 1})[0][0].id == "id3");
}
