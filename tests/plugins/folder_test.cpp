#include "folder.h"

#include <filesystem>

#include "data_files.h"

using namespace kindred;
using namespace kindred::folder;
using namespace kindred::test;

namespace {

Folder dataset(const std::filesystem::path& root) {
  return Folder({root}, {});
}

}  // namespace

TEST_CASE("every image at any depth is an unlabeled gallery image, ordered by path") {
  const PictureFolder folder;
  for (const char* name : {"b.jpg", "a/z.png", "a/y/x.jpg", "notes.txt"}) folder.write(name, "");
  const auto samples = dataset(folder.path()).samples();
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].path == "a/y/x.jpg");
  CHECK(samples[1].path == "a/z.png");
  CHECK(samples[2].path == "b.jpg");
  for (const Sample& sample : samples) {
    CHECK(sample.identity == unlabeled_identity);
    CHECK(sample.camera == unknown_camera);
    CHECK(sample.split == Split::gallery);
  }
}

TEST_CASE("a folder without images is refused") {
  const PictureFolder folder;
  folder.write("notes.txt", "");
  CHECK(contains(error_of([&] { (void)dataset(folder.path()).samples(); }),
                 "contains no images, not even in subfolders: it holds other things: 'notes.txt'"));
  CHECK(contains(error_of([&] { (void)dataset(folder.path() / "none").samples(); }), "does not exist"));
}

TEST_CASE("a folder is taken when there is an image, and only if nothing else fits") {
  const PictureFolder folder;
  CHECK(dataset(folder.path() / "none").recognize() == Recognition::no);
  folder.write("a/notes.txt", "");
  folder.write(".cache/x.jpg", "");
  CHECK(dataset(folder.path()).recognize() == Recognition::no);
  folder.write("a/b/c/x.jpg", "");
  CHECK(dataset(folder.path()).recognize() == Recognition::fallback);
  CHECK(dataset(folder.path() / "a/notes.txt").recognize() == Recognition::no);
}

TEST_CASE("a sample's pixels come from its file") {
  const PictureFolder folder;
  folder.write_picture("a/x.png", 9);
  const auto images = dataset(folder.path());
  CHECK(equal_pixels(images.image(images.samples().at(0)), picture(9)));
}

TEST_CASE("a root that is an image is a gallery of one") {
  const PictureFolder folder;
  const auto file = folder.write_picture("a/x.png", 9);
  CHECK(dataset(file).recognize() == Recognition::certain);
  const auto samples = dataset(file).samples();
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].path == "x.png");
  CHECK(samples[0].split == Split::gallery);
  CHECK(equal_pixels(dataset(file).image(samples[0]), picture(9)));
}
