#include "kindred/image/image_files.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "data_files.h"
#include "kindred/image/image.h"
#include "made_image_files.h"
#include "ordinary_user.h"

using namespace kindred;
using namespace kindred::test;

TEST_CASE("names of images that are not UTF-8 are refused where they are listed") {
  const PictureFolder folder;
  for (const char* name : {"a\xE9.jpg", "b\xE9.jpg", "c\xE9.jpg", "d\xE9.jpg", "\xC3\xA9.jpg", "n\xE9.txt"}) {
    folder.write(name, "");
  }
  CHECK(folder.without(error_of([&] { (void)list_images(folder.path(), Depth::all_below); })) ==
        folder.path().string() +
            ": error: the names of 4 images in it are not UTF-8: 'a\\xE9.jpg', 'b\\xE9.jpg', 'c\\xE9.jpg' "
            "and 1 "
            "more; rename them, such as with: convmv -r -f latin1 -t utf8 --notest FOLDER");
}

TEST_CASE("a folder without images of its own says what it holds instead") {
  const TemporaryFolder folder;
  CHECK(what_is_instead_of_images(folder.path()) == "it is empty");
  folder.write("notes.txt", "none");
  CHECK(what_is_instead_of_images(folder.path()) == "it holds other things: 'notes.txt'");
  folder.write("a.flv", "FLV\x01");
  CHECK(contains(what_is_instead_of_images(folder.path()), "'a.flv' is a video (Flash Video), not an image"));
  for (const char* name : {"p/a.jpg", "q/a.jpg", "r/deep/a.jpg", "s/a.jpg", "t/notes.txt"})
    folder.write(name, "");
  CHECK(what_is_instead_of_images(folder.path()) ==
        "its images are in folders below it: 'p', 'q', 'r' and 1 more");
  CHECK_FALSE(has_images(folder.path(), Depth::folder_alone));
  CHECK(has_images(folder.path(), Depth::all_below));
  CHECK_FALSE(has_images(folder / "none", Depth::all_below));
}

TEST_CASE("images are listed in the order of their bytes, other files are passed over") {
  const PictureFolder folder;
  for (const char* name : {"b.jpg", "a.PNG", "Z.jpeg", "Thumbs.db", ".hidden.jpg", "notes.txt", "sub/c.webp",
                           "sub/deep/d.tif", ".git/e.jpg"}) {
    folder.write(name, "");
  }
  std::filesystem::create_directories(folder.path() / "folder.jpg");
  using Names = std::vector<std::string>;
  CHECK(list_images(folder.path(), Depth::folder_alone) == Names{"Z.jpeg", "a.PNG", "b.jpg"});
  CHECK(list_images(folder.path(), Depth::all_below) ==
        Names{"Z.jpeg", "a.PNG", "b.jpg", "sub/c.webp", "sub/deep/d.tif"});
  CHECK(contains(error_of([&] { (void)list_images(folder.path() / "none", Depth::all_below); }),
                 "does not exist"));
  CHECK(contains(error_of([&] { (void)list_images(folder.path() / "b.jpg", Depth::all_below); }),
                 "is not a folder"));
}

TEST_CASE("links to folders are followed, once where they lead in a circle") {
  const PictureFolder folder;
  folder.write("real/a.jpg", "");
  std::filesystem::create_directory(folder.path() / "root");
  std::filesystem::create_directory_symlink(folder.path() / "real", folder.path() / "root/link");
  CHECK(list_images(folder.path() / "root", Depth::all_below) == std::vector<std::string>{"link/a.jpg"});
  std::filesystem::create_directory_symlink(folder.path() / "root", folder.path() / "root/circle");
  std::filesystem::create_symlink(folder.path() / "nothing", folder.path() / "root/nowhere");
  CHECK(list_images(folder.path() / "root", Depth::all_below) == std::vector<std::string>{"link/a.jpg"});
}

TEST_CASE("a link to a folder that may not be read is refused where it would be entered, and only there") {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  folder.write("open/a.jpg", "");
  folder.write("closed/below/b.jpg", "");
  fs::create_directory_symlink(folder / "closed/below", folder / "open/link");
  for (const auto& readable : {folder.path(), folder / "open"}) {
    fs::permissions(readable, static_cast<fs::perms>(0755));
  }
  fs::permissions(folder / "closed", fs::perms::none);
  std::vector<std::string> alone;
  std::string refused;
  {
    const OrdinaryUser user;
    alone = list_images(folder / "open", Depth::folder_alone);
    refused = error_of([&] { (void)list_images(folder / "open", Depth::all_below); });
  }
  fs::permissions(folder / "closed", fs::perms::owner_all);
  CHECK(alone == std::vector<std::string>{"a.jpg"});
  CHECK(folder.without(refused) == "open/link: error: cannot be listed: Permission denied");
}

TEST_CASE("folders that all link to each other are entered once each") {
  const PictureFolder folder;
  std::vector<std::string> images;
  for (char name = 'a'; name <= 'n'; ++name) {
    images.push_back(std::string(1, name) + "/1.jpg");
    folder.write(images.back(), "");
  }
  for (char from = 'a'; from <= 'n'; ++from) {
    for (char to = 'a'; to <= 'n'; ++to) {
      if (from != to) {
        std::filesystem::create_directory_symlink(folder.path() / std::string(1, to),
                                                  folder.path() / std::string(1, from) / std::string(1, to));
      }
    }
  }
  CHECK(list_images(folder.path(), Depth::all_below) == images);
  CHECK(has_images(folder.path(), Depth::all_below));
}

TEST_CASE("a link to nothing that is called like an image is a bad image") {
  const PictureFolder folder;
  std::filesystem::create_symlink("nothing", folder / "gone.jpg");
  CHECK(list_images(folder.path(), Depth::all_below) == std::vector<std::string>{"gone.jpg"});
  CHECK(folder.without(error_of([&] { (void)read_image(folder / "gone.jpg"); })) ==
        "gone.jpg: error: does not exist");
}

TEST_CASE("an image whose path has 4,000 bytes is listed and read, and a longer path is refused by name") {
  const PictureFolder folder;
  const auto below = long_folder(folder.path(), 3990);
  cv::imwrite(below / "a.png", picture(3));
  CHECK((below / "a.png").string().size() >= 3990);
  const auto names = list_images(folder.path(), Depth::all_below);
  REQUIRE(names.size() == 1);
  CHECK(read_image(folder.path() / names[0]).size() == cv::Size(16, 32));
  const auto longer = below / std::string(200, 'b');
  CHECK(error_of([&] { (void)read_image(longer); }).starts_with(longer.string() + ": error: "));
}
