#include "service/gallery_images.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "data_files.h"

using namespace kindred;
using namespace kindred::service;
using namespace kindred::test;

namespace {

namespace fs = std::filesystem;

cv::Mat decoded_jpeg(const std::string& jpeg) {
  return cv::imdecode(std::vector<std::uint8_t>(jpeg.begin(), jpeg.end()), cv::IMREAD_COLOR);
}

}  // namespace

TEST_CASE("thumbnails are JPEGs of the images, made smaller where they are larger") {
  const PictureFolder folder;
  folder.write_picture("small.png", 1, 16, 32);
  fs::create_directories(folder / "below");
  folder.write_picture("below/large.png", 2, 400, 800);
  GalleryImages images(folder.path());
  for (int again = 0; again < 2; ++again) {  // the second time from memory
    const auto small = images.thumbnail("small.png");
    REQUIRE(small);
    CHECK(decoded_jpeg(*small).size() == cv::Size(16, 32));
    const auto large = images.thumbnail("below/large.png");
    REQUIRE(large);
    CHECK(decoded_jpeg(*large).size() == cv::Size(128, 256));
    CHECK(large->substr(0, 2) == "\xFF\xD8");
  }
  CHECK(images.thumbnail((folder / "small.png").string()));
}

TEST_CASE("only the latest thumbnails are kept in memory") {
  const PictureFolder folder;
  for (int i = 0; i < 3; ++i) folder.write_picture(std::to_string(i) + ".png", i);
  GalleryImages images(folder.path(), 2);
  for (int i = 0; i < 3; ++i) REQUIRE(images.thumbnail(std::to_string(i) + ".png"));
  for (int i = 0; i < 3; ++i) fs::remove(folder / (std::to_string(i) + ".png"));
  CHECK(!images.thumbnail("0.png"));
  CHECK(images.thumbnail("1.png"));
  CHECK(images.thumbnail("2.png"));
}

TEST_CASE("nothing outside of the folder is read, whatever the path or a link says") {
  const PictureFolder folder;
  fs::create_directories(folder / "inside/below");
  folder.write_picture("secret.png", 1);
  folder.write_picture("inside-too.png", 1);
  folder.write_picture("inside/own.png", 2);
  fs::create_symlink(folder / "secret.png", folder / "inside/link.png");
  fs::create_symlink(folder.path(), folder / "inside/up");
  fs::create_symlink("own.png", folder / "inside/good-link.png");
  ::mkfifo((folder / "inside/pipe.png").c_str(), 0600);
  GalleryImages images(folder / "inside");
  for (const std::string& path :
       {std::string("../secret.png"), std::string("below/../../secret.png"), (folder / "secret.png").string(),
        std::string("link.png"), std::string("up/secret.png"), std::string("../inside-too.png"),
        std::string("/etc/passwd"), std::string("pipe.png"), std::string("below"), std::string("none.png"),
        std::string(""), std::string("."), std::string("own.png\0.jpg", 12), std::string(100'000, 'a'),
        std::string("%2e%2e/secret.png"), std::string("..\\secret.png")}) {
    CHECK_MESSAGE(!images.find(path), path);
    CHECK_MESSAGE(!images.thumbnail(path), path);
  }
  CHECK(images.find("own.png") == fs::canonical(folder / "inside/own.png"));
  CHECK(images.find("below/../own.png"));
  CHECK(images.find("good-link.png"));
  CHECK(images.find("up/inside/own.png"));
}

TEST_CASE("a folder that is none and a file that is no image are errors") {
  const PictureFolder folder;
  const auto file = folder.write("text.png", "no image");
  CHECK(error_of([&] { const GalleryImages images(folder / "none"); }) ==
        (folder / "none").string() + ": error: cannot be opened: No such file or directory");
  CHECK(error_of([&] { const GalleryImages images(file); }) == file.string() + ": error: is not a folder");
  GalleryImages images(folder.path());
  CHECK(contains(error_of([&] { static_cast<void>(images.thumbnail("text.png")); }),
                 "text.png: error: is not an image"));
}
