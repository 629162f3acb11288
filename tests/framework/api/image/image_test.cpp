#include "kindred/image/image.h"

#include <cstdint>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "data_files.h"

using namespace kindred;
using namespace kindred::test;

namespace {

std::string encoded(const std::string& ending, const cv::Mat& image, const std::vector<int>& options = {}) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(ending, image, bytes, options);
  return {bytes.begin(), bytes.end()};
}

/// A JPEG with an EXIF segment that says how it is to be turned, and with a thumbnail that has an end mark of
/// its own.
std::string with_exif(const std::string& jpeg, char orientation) {
  std::string tiff("II*\0\x08\0\0\0", 8);                        // little endian, first directory at 8
  tiff += std::string("\x01\0", 2);                              // one entry
  tiff += std::string("\x12\x01\x03\0\x01\0\0\0", 8);            // orientation, a short, one of them
  tiff += orientation + std::string("\0\0\0", 3);                // its value
  tiff += std::string("\0\0\0\0", 4) + "\xFF\xD8thumb\xFF\xD9";  // no further directory
  const std::string payload = std::string("Exif\0\0", 6) + tiff;
  const auto length = payload.size() + 2;
  return jpeg.substr(0, 2) + "\xFF\xE1" + static_cast<char>(length >> 8) + static_cast<char>(length & 0xFF) +
         payload + jpeg.substr(2);
}

}  // namespace

TEST_CASE("pixels are 8-bit RGB") {
  const PictureFolder folder;
  cv::Mat bgr(2, 3, CV_8UC3, cv::Scalar(10, 20, 30));
  const cv::Mat image = read_image(folder.write("a.png", encoded(".png", bgr)));
  CHECK(image.type() == CV_8UC3);
  CHECK(image.size() == cv::Size(3, 2));
  CHECK(image.at<cv::Vec3b>(1, 2) == cv::Vec3b(30, 20, 10));
}

TEST_CASE("grey, 16-bit and transparent images become 8-bit RGB") {
  const PictureFolder folder;
  const cv::Mat grey(2, 2, CV_8UC1, cv::Scalar(77));
  CHECK(read_image(folder.write("grey.png", encoded(".png", grey))).at<cv::Vec3b>(0, 0) ==
        cv::Vec3b(77, 77, 77));
  const cv::Mat deep(2, 2, CV_16UC3, cv::Scalar(0x1000, 0x2000, 0x3000));
  CHECK(read_image(folder.write("deep.png", encoded(".png", deep))).at<cv::Vec3b>(0, 0) ==
        cv::Vec3b(0x30, 0x20, 0x10));
  const cv::Mat clear(2, 2, CV_8UC4, cv::Scalar(1, 2, 3, 0));
  CHECK(read_image(folder.write("clear.png", encoded(".png", clear))).at<cv::Vec3b>(0, 0) ==
        cv::Vec3b(3, 2, 1));
}

TEST_CASE("what write_image writes, read_image reads") {
  const PictureFolder folder;
  const cv::Mat image = picture(5);
  for (const char* name : {"a.png", "b.bmp", "c.TIF"}) {
    write_image(folder.path() / name, image);
    CHECK(equal_pixels(read_image(folder.path() / name), image));
  }
  write_image(folder.path() / "d.jpg", image);
  CHECK(cv::norm(read_image(folder.path() / "d.jpg"), image, cv::NORM_L1) /
            static_cast<double>(3 * image.total()) <
        8);
}

TEST_CASE("a JPEG cut off anywhere is refused as truncated") {
  const PictureFolder folder;
  for (const bool progressive : {false, true}) {
    const std::string jpeg =
        encoded(".jpg", picture(1, 64, 128), {cv::IMWRITE_JPEG_PROGRESSIVE, progressive});
    for (const std::size_t size :
         {std::size_t{2}, std::size_t{20}, jpeg.size() / 2, jpeg.size() - 2, jpeg.size() - 1}) {
      const auto file = folder.write("cut.jpg", jpeg.substr(0, size));
      const std::string text = error_of([&] { (void)read_image(file); });
      CHECK(contains(
          text, file.string() + ": error: is truncated: the JPEG data stops after " + std::to_string(size)));
    }
    CHECK_NOTHROW((void)read_image(folder.write("whole.jpg", jpeg)));
  }
}

TEST_CASE("a PNG cut off anywhere is refused as truncated") {
  const PictureFolder folder;
  const std::string png = encoded(".png", picture(1, 64, 128));
  for (const std::size_t size :
       {std::size_t{8}, std::size_t{20}, png.size() / 2, png.size() - 12, png.size() - 1}) {
    CHECK(contains(error_of([&] { (void)read_image(folder.write("cut.png", png.substr(0, size))); }),
                   "is truncated: the PNG data"));
  }
}

TEST_CASE("bytes after the end of an image are allowed") {
  const PictureFolder folder;
  for (const char* ending : {".jpg", ".png"}) {
    const std::string bytes = encoded(ending, picture(2));
    const cv::Mat plain = read_image(folder.write(std::string("plain") + ending, bytes));
    const cv::Mat longer =
        read_image(folder.write(std::string("longer") + ending, bytes + std::string(100, '\0') + "tail"));
    CHECK(equal_pixels(plain, longer));
  }
}

TEST_CASE("the end mark of a thumbnail does not count for the picture") {
  const PictureFolder folder;
  const std::string jpeg = with_exif(encoded(".jpg", picture(3, 16, 32)), 1);
  CHECK(read_image(folder.write("whole.jpg", jpeg)).size() == cv::Size(16, 32));
  CHECK(
      contains(error_of([&] { (void)read_image(folder.write("cut.jpg", jpeg.substr(0, jpeg.size() - 20))); }),
               "is truncated"));
}

TEST_CASE("a picture that says it must be turned is turned") {
  const PictureFolder folder;
  const std::string jpeg = encoded(".jpg", picture(3, 16, 32));
  const cv::Mat upright = read_image(folder.write("1.jpg", with_exif(jpeg, 1)));
  const cv::Mat turned = read_image(folder.write("6.jpg", with_exif(jpeg, 6)));
  cv::Mat expected;
  cv::rotate(upright, expected, cv::ROTATE_90_CLOCKWISE);
  CHECK(equal_pixels(turned, expected));
}

TEST_CASE("a file that is no image is refused with the reason") {
  const PictureFolder folder;
  const auto reason = [&](const std::filesystem::path& file) {
    return error_of([&] { (void)read_image(file); });
  };
  CHECK(reason(folder.path() / "none.jpg") ==
        (folder.path() / "none.jpg").string() + ": error: does not exist");
  CHECK(contains(reason(folder.path()), "is a folder"));
  CHECK(contains(reason(folder.write("empty.jpg", "")), "is empty (0 bytes)"));
  CHECK(
      contains(reason(folder.write("text.jpg", "this is a page of text, not a picture")), "is not an image"));

  std::string png = encoded(".png", picture(4, 64, 128));
  png[png.size() / 2] = static_cast<char>(png[png.size() / 2] ^ 0x55);
  CHECK(contains(reason(folder.write("flipped.png", png)), "is damaged: its PNG data"));
  const std::string jpeg = encoded(".jpg", picture(4));
  CHECK(contains(reason(folder.write("hollow.jpg", jpeg.substr(0, 2) + "\xFF\xD9")),
                 "is damaged: its JPEG data"));
}

TEST_CASE("an image is written only where its ending and the folder allow") {
  const PictureFolder folder;
  CHECK(contains(error_of([&] { write_image(folder.path() / "a.xyz", picture(1)); }),
                 "'.xyz', which is not an image format"));
  CHECK(contains(error_of([&] { write_image(folder.path() / "none/a.png", picture(1)); }),
                 "cannot be written: No such file"));
  CHECK(std::filesystem::is_empty(folder.path()));
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
