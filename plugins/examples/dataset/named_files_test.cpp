#include "named_files.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <opencv2/core.hpp>
#include <string>

#include "kindred/core/error.h"
#include "kindred/image/image.h"

namespace fs = std::filesystem;
using my_plugins::NamedFiles;

namespace {

/// A data set with one image in each of its folders.
class SmallFolder {
 public:
  SmallFolder() : root_(fs::temp_directory_path() / ("named_files." + std::to_string(::getpid()))) {
    add("train/0012_c3_0005.png", 10);
    add("query/7_c1.png", 20);
    add("gallery/0007_c12_x.png", 30);
  }
  SmallFolder(const SmallFolder&) = delete;
  SmallFolder& operator=(const SmallFolder&) = delete;
  ~SmallFolder() { fs::remove_all(root_); }

  void add(const std::string& path, int brightness) const {
    fs::create_directories((root_ / path).parent_path());
    kindred::write_image(root_ / path, cv::Mat(4, 2, CV_8UC3, cv::Scalar::all(brightness)));
  }
  [[nodiscard]] NamedFiles dataset() const { return NamedFiles({root_}, {}); }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("names give identity and camera, folders the split") {
  const SmallFolder folder;
  const auto dataset = folder.dataset();
  const auto samples = dataset.samples();
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].path == "train/0012_c3_0005.png");
  CHECK(samples[0].identity == 12);
  CHECK(samples[0].camera == 3);
  CHECK(samples[1].split == kindred::Split::query);
  CHECK(samples[2].identity == 7);
  CHECK(samples[2].camera == 12);
  CHECK(dataset.image(samples[2]).at<cv::Vec3b>(0, 0) == cv::Vec3b(30, 30, 30));
  CHECK(dataset.recognize() == kindred::Recognition::likely);
}

TEST_CASE("a name that says nothing is an error that gives the file") {
  const SmallFolder folder;
  folder.add("train/photo.png", 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(folder.dataset().samples()), doctest::Contains("train/photo.png"),
                       kindred::DataError);
  CHECK(folder.dataset().recognize() == kindred::Recognition::no);
}
