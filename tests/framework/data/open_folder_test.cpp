#include "data/open_folder.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "data_files.h"
#include "folder.h"
#include "kindred/core/catalog.h"
#include "manifest.h"
#include "market1501.h"
#include "naic.h"
#include "ordinary_user.h"
#include "person_folders.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;

namespace {

Catalog catalog_of_layouts() {
  Catalog catalog;
  catalog.add<folder::Folder>("folder");
  catalog.add<manifest::Manifest>("manifest");
  catalog.add<market1501::Market1501>("market1501");
  catalog.add<naic::Naic>("naic");
  catalog.add<person_folders::PersonFolders>("person_folders");
  return catalog;
}

std::string refusal_of_folder(const std::filesystem::path& root) {
  return error_of([&] { (void)open_folder(root, catalog_of_layouts()); });
}

void write_market(const TemporaryFolder& folder, const std::string& root) {
  folder.write(root + "bounding_box_train/0002_c1s1_000451_03.jpg", "");
  folder.write(root + "query/0001_c1s1_001051_00.jpg", "");
  folder.write(root + "bounding_box_test/0001_c2s1_001051_00.jpg", "");
}

}  // namespace

TEST_CASE("a folder is opened by the dataset that knows its layout best") {
  const Catalog catalog = catalog_of_layouts();
  const TemporaryFolder folder;
  folder.write("photos/a.jpg", "");
  folder.write("photos/deep/er/b.jpg", "");
  CHECK(open_folder(folder / "photos", catalog).layout == "folder");
  write_market(folder, "market/");
  CHECK(open_folder(folder / "market", catalog).layout == "market1501");
  CHECK(open_folder(folder / "market", catalog).dataset->samples().size() == 3);
  CHECK(open_folder(folder.write("list.csv", "path,split\n"), catalog).layout == "manifest");
  folder.write("people/train/0001/a.jpg", "");
  folder.write("people/query/0002/b.jpg", "");
  folder.write("people/gallery/0002/c.jpg", "");
  CHECK(open_folder(folder / "people", catalog).layout == "person_folders");
  folder.write("tree/0001/a.jpg", "");
  folder.write("tree/0002/a.jpg", "");
  CHECK(open_folder(folder / "tree", catalog).layout == "person_folders");
}

TEST_CASE("the paths of samples begin in the folder of a data set, also of one that is a file") {
  const Catalog catalog = catalog_of_layouts();
  const PictureFolder folder;
  folder.write_picture("photos/deep/a.png", 1);
  folder.write("list.csv", "path,identity,camera,split\nphotos/deep/a.png,1,1,gallery\n");
  for (const auto* root : {"photos", "photos/deep/a.png", "list.csv"}) {
    CAPTURE(root);
    const auto samples = open_folder(folder / root, catalog).dataset->samples();
    REQUIRE(samples.size() == 1);
    CHECK(folder_of_paths(folder / root) / samples[0].path == folder / "photos/deep/a.png");
  }
}

TEST_CASE("one image is a data set of one image, whatever it is called") {
  const PictureFolder folder;
  folder.write_picture("one.png", 3);
  std::filesystem::rename(folder / "one.png", folder / "one.photo");
  const auto opened = open_folder(folder / "one.photo", catalog_of_layouts());
  CHECK(opened.layout == "folder");
  const auto samples = opened.dataset->samples();
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].path == "one.photo");
  CHECK(samples[0].split == Split::gallery);
  CHECK(equal_pixels(opened.dataset->image(samples[0]), picture(3)));
}

TEST_CASE("a video is refused with the way to crops") {
  const TemporaryFolder folder;
  const auto video =
      folder.write("walk.mp4", std::string("\0\0\0\x20", 4) + "ftypisom" + std::string(20, 'x'));
  CHECK(refusal_of_folder(video) ==
        video.string() +
            ": error: is a video (MP4), not an image: cut the people out of its frames with a detector and a "
            "tracker, and give the folder of these crops, one folder for each person where people are known");
  folder.write("videos/a.mp4", std::string("\0\0\0\x20", 4) + "ftypisom" + std::string(20, 'x'));
  CHECK(contains(refusal_of_folder(folder / "videos"), "has no known layout: 'a.mp4' is a video (MP4)"));
  CHECK(contains(refusal_of_folder(folder.write("notes.txt", "nothing to see")),
                 "is neither an image nor a list of images"));
}

TEST_CASE("a folder of no known layout is refused with the layouts that are known") {
  const TemporaryFolder folder;
  const std::string text = refusal_of_folder(folder.path());
  CHECK(contains(text, folder.path().string() + ": error: has no known layout: it is empty. Known layouts:"));
  for (const char* name : {"\n  folder: ", "\n  manifest: ", "\n  market1501: ", "\n  naic: "})
    CHECK(contains(text, name));
  CHECK(contains(refusal_of_folder(folder / "none"), "does not exist"));
  CHECK(
      contains(error_of([&] { (void)open_folder(folder.path(), Catalog()); }), "no plugin offers a dataset"));
}

TEST_CASE("a folder that fits two layouts equally is refused, and both are named") {
  const TemporaryFolder folder;
  folder.write("manifest.csv", "path,split\n");
  for (const char* name : {"bounding_box_train", "query", "bounding_box_test"}) {
    std::filesystem::create_directory(folder / name);
  }
  CHECK(contains(refusal_of_folder(folder.path()),
                 "could have any of the layouts 'manifest' and 'market1501'"));
}

TEST_CASE("the parent of a data set is not taken for one unlabeled gallery") {
  const TemporaryFolder folder;
  write_market(folder, "Market-1501-v15.09.15/");
  const auto inner = (folder / "Market-1501-v15.09.15").string();
  CHECK(refusal_of_folder(folder.path()) ==
        folder.path().string() + ": error: is not a data set, but holds one: '" + inner +
            "' (market1501); give that folder, as in: kindred data doctor " + inner);
  folder.write("more/manifest.csv", "path,split\n");
  CHECK(contains(refusal_of_folder(folder.path()), "but holds '" + inner + "' (market1501) and '" +
                                                       (folder / "more").string() +
                                                       "' (manifest); give one of them"));
}

TEST_CASE("folders called train, query, gallery or test are never one unlabeled gallery") {
  for (const char* name : {"train", "Query", "gallery", "test", "image_train", "query-images", "bbox_test"}) {
    CAPTURE(name);
    const TemporaryFolder folder;
    folder.write(std::string(name) + "/0001.jpg", "");
    folder.write("other/a/x.jpg", "");
    const auto text = refusal_of_folder(folder.path());
    CHECK(
        contains(text, "has a folder called '" + std::string(name) +
                           "', but no known layout, so its images are not taken for one unlabeled gallery:"));
    CHECK(contains(text, std::string("\n  ") + name + ": images\n"));
    CHECK(contains(text, "\n  other: 1 folder, 'a', with images\n"));
    CHECK(contains(text, "To read the images of one folder without labels, give it: '" +
                             (folder / name).string() + "'."));
  }
  const TemporaryFolder folder;
  folder.write("trains/a.jpg", "");
  folder.write("latest/b.jpg", "");
  CHECK(open_folder(folder.path(), catalog_of_layouts()).layout == "folder");
}

TEST_CASE("folders that may be people, and are not read as such, are remarked on") {
  const TemporaryFolder folder;
  folder.write("alice/a.jpg", "");
  folder.write("bob/b.jpg", "");
  const auto opened = open_folder(folder.path(), catalog_of_layouts());
  CHECK(opened.layout == "folder");
  CHECK(contains(opened.remark, "If each of its 2 folders shows one person, name a dataset"));
  // An empty one and a stray image are what they are not taken for people for.
  std::filesystem::create_directory(folder / "carol");
  folder.write("c.jpg", "");
  const auto nearly = open_folder(folder.path(), catalog_of_layouts());
  CHECK(contains(nearly.remark, "If each of its 2 folders shows one person"));
  CHECK(contains(nearly.remark, "'carol' holds no image of one; "));
  CHECK(contains(nearly.remark, "c.jpg' lies in no folder"));
  folder.write("d.jpg", "");
  CHECK(open_folder(folder.path(), catalog_of_layouts()).remark.empty());
}

TEST_CASE("people with a folder for each camera, who are not read as such, are remarked on, too") {
  const TemporaryFolder folder;
  folder.write("alice/cam1/a.jpg", "");
  folder.write("alice/cam2/b.jpg", "");
  folder.write("bob/cam1/a.jpg", "");
  const auto opened = open_folder(folder.path(), catalog_of_layouts());
  CHECK(opened.layout == "folder");
  CHECK(contains(opened.remark, "If each of its 2 folders shows one person, name a dataset"));
  // Images that lie deeper are not of a person's folder.
  const TemporaryFolder deep;
  deep.write("2024/may/first/a.jpg", "");
  deep.write("2025/may/first/a.jpg", "");
  CHECK(open_folder(deep.path(), catalog_of_layouts()).remark.empty());
}

TEST_CASE("names that are not UTF-8 are refused when images are listed, in escaped form") {
  const TemporaryFolder folder;
  folder.write("IMG_\xE9.jpg", "");
  folder.write("b.jpg", "");
  const auto opened = open_folder(folder.path(), catalog_of_layouts());
  const auto text = error_of([&] { (void)opened.dataset->samples(); });
  CHECK(contains(text, "the name of an image in it is not UTF-8: 'IMG_\\xE9.jpg'; rename them"));
  folder.write("d\xFF/x.jpg", "");
  CHECK(contains(refusal_of_folder(folder / "d\xFF"), "d\\xFF: error: is not a name in UTF-8"));
}

TEST_CASE("a pipe is refused instead of waited for") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe.jpg").c_str(), 0600) == 0);
  CHECK(contains(refusal_of_folder(folder / "pipe.jpg"), "is a pipe, socket or device, not a file"));
  const auto opened = open_folder(folder.path(), catalog_of_layouts());
  const auto samples = opened.dataset->samples();
  REQUIRE(samples.size() == 1);
  CHECK(contains(error_of([&] { (void)opened.dataset->image(samples[0]); }),
                 "pipe.jpg: error: is a pipe, socket or device, not a file"));
}

TEST_CASE("a folder without permission says so") {
  const TemporaryFolder folder;
  folder.write("closed/a.jpg", "");
  std::filesystem::permissions(folder.path(), static_cast<std::filesystem::perms>(0755));
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::none);
  const auto refused = [&] {
    const OrdinaryUser user;
    return refusal_of_folder(folder / "closed");
  }();
  CHECK(contains(refused, "cannot be listed: Permission denied"));
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::owner_all);
}
