#include "kindred/image/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <span>
#include <string>
#include <vector>

#include "api/image/pixel_limit_scope.h"
#include "data_files.h"
#include "kindred/image/decode.h"
#include "kindred/image/file_content.h"
#include "kindred/image/image_files.h"
#include "made_image_files.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::test;

namespace {

std::string encoded(const std::string& ending, const cv::Mat& image, const std::vector<int>& options = {}) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(ending, image, bytes, options);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("WebP is turned by its EXIF data too, and damaged ones turn nothing") {
  const PictureFolder folder;
  const auto bgr = picture(3, 16, 32);
  const auto webp = encoded(".webp", bgr, {cv::IMWRITE_WEBP_QUALITY, 101});
  const auto read = [&](const std::string& exif) {
    return read_image(folder.write("a.webp", webp_with_exif(webp, bgr.cols, bgr.rows, exif)));
  };
  const auto plain = read_image(folder.write("plain.webp", webp));
  cv::Mat turned;
  cv::rotate(plain, turned, cv::ROTATE_90_CLOCKWISE);
  CHECK(equal_pixels(read(exif_data(6)), turned));
  CHECK(equal_pixels(read(std::string("Exif\0\0", 6) + exif_data(6)), turned));
  CHECK(equal_pixels(read(exif_data(1)), plain));
  for (std::size_t length = 0; length < 19; ++length) {
    CHECK(equal_pixels(read(exif_data(6).substr(0, length)), plain));
  }
}

TEST_CASE("pixels are 8-bit RGB") {
  const PictureFolder folder;
  cv::Mat bgr(2, 3, CV_8UC3, cv::Scalar(10, 20, 30));
  const cv::Mat image = read_image(folder.write("a.png", encoded(".png", bgr)));
  CHECK(image.type() == CV_8UC3);
  CHECK(image.size() == cv::Size(3, 2));
  CHECK(image.at<cv::Vec3b>(1, 2) == cv::Vec3b(30, 20, 10));
}

TEST_CASE("images in memory are decoded as files are, with the same errors") {
  const PictureFolder folder;
  const auto file = folder.write_picture("a.png", 3);
  const auto content = test::read_bytes(file);
  const std::vector<std::uint8_t> bytes(content.begin(), content.end());
  CHECK(equal_pixels(decode_image(bytes, "upload"), read_image(file)));
  CHECK(error_of([] { static_cast<void>(decode_image({}, "upload")); }) ==
        "upload: error: is empty (0 bytes)");
  auto cut = bytes;
  cut.resize(bytes.size() - 8);
  CHECK(contains(error_of([&] { static_cast<void>(decode_image(cut, "upload")); }),
                 "upload: error: is truncated: the PNG data stops after "));
  // The header of a PNG of 900 million pixels, of which not one is there.
  std::vector<std::uint8_t> bomb(bytes.begin(), bytes.end());
  for (const std::size_t at : {16, 20}) {
    bomb[at] = bomb[at + 1] = 0;
    bomb[at + 2] = 30000 >> 8;
    bomb[at + 3] = 30000 & 0xFF;
  }
  CHECK(contains(error_of([&] { static_cast<void>(decode_image(bomb, "upload")); }),
                 "upload: error: has 30000 x 30000 pixels (width x height), more than the 50 megapixels that "
                 "are allowed"));
}

TEST_CASE("gray, 16-bit and transparent images become 8-bit RGB") {
  const PictureFolder folder;
  const cv::Mat gray(2, 2, CV_8UC1, cv::Scalar(77));
  CHECK(read_image(folder.write("gray.png", encoded(".png", gray))).at<cv::Vec3b>(0, 0) ==
        cv::Vec3b(77, 77, 77));
  const cv::Mat deep(2, 2, CV_16UC3, cv::Scalar(0x1000, 0x2000, 0x3000));
  CHECK(read_image(folder.write("deep.png", encoded(".png", deep))).at<cv::Vec3b>(0, 0) ==
        cv::Vec3b(0x30, 0x20, 0x10));
  const cv::Mat clear(2, 2, CV_8UC4, cv::Scalar(1, 2, 3, 0));
  CHECK(read_image(folder.write("clear.png", encoded(".png", clear))).at<cv::Vec3b>(0, 0) ==
        cv::Vec3b(3, 2, 1));
}

TEST_CASE("palettes, single bits and inks become 8-bit RGB") {
  const PictureFolder folder;
  const auto pixels = [&](const std::string& name, const std::string& content) {
    const auto image = read_image(folder.write(name, content));
    REQUIRE(image.type() == CV_8UC3);
    std::vector<cv::Vec3b> found(image.begin<cv::Vec3b>(), image.end<cv::Vec3b>());
    return found;
  };
  using Pixels = std::vector<cv::Vec3b>;
  const std::string colors("\xFF\0\0\0\xFF\0\0\0\xFF\x09\x08\x07", 12);
  const Pixels in_order{{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {9, 8, 7}};
  CHECK(pixels("palette.png", made_png(4, 8, 3, {std::string("\0\1\2\3", 4)}, png_chunk("PLTE", colors))) ==
        in_order);
  // Four colors in a byte, two of them transparent.
  CHECK(pixels("packed.png", made_png(4, 2, 3, {"\x1B"},
                                      png_chunk("PLTE", colors) +
                                          png_chunk("tRNS", std::string("\0\x80", 2)))) == in_order);
  CHECK(pixels("bits.png", made_png(3, 1, 0, {"\xA0"})) ==
        Pixels{{255, 255, 255}, {0, 0, 0}, {255, 255, 255}});
  const std::string inks("\0\0\0\0\0\0\0\xFF\xFF\0\0\0", 12);
  CHECK(pixels("inks.tif",
               MadeTiff{.width = 3, .height = 1, .pixels = inks, .samples = 4, .photometric = 5}.bytes()) ==
        Pixels{{255, 255, 255}, {0, 0, 0}, {0, 255, 255}});
}

TEST_CASE("PNG and TIFF are turned every way that their EXIF data say") {
  const PictureFolder folder;
  const cv::Mat image = picture(3, 5, 8);
  cv::Mat bgr;
  cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
  const auto png = encoded(".png", bgr);
  MadeTiff tiff{.width = 5, .height = 8, .pixels = {image.datastart, image.dataend}};
  const auto flipped = [](const cv::Mat& from, int code) {
    cv::Mat result;
    cv::flip(from, result, code);
    return result;
  };
  cv::Mat transposed;
  cv::transpose(image, transposed);
  const std::vector<cv::Mat> expected = {
      image,      flipped(image, 1),      flipped(image, -1),      flipped(image, 0),
      transposed, flipped(transposed, 1), flipped(transposed, -1), flipped(transposed, 0)};
  for (char orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(static_cast<int>(orientation));
    const auto& turned = expected[static_cast<std::size_t>(orientation - 1)];
    CHECK(equal_pixels(read_image(folder.write("a.png", png_with_exif(png, orientation))), turned));
    tiff.orientation = orientation;
    CHECK(equal_pixels(read_image(folder.write("a.tif", tiff.bytes())), turned));
  }
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
  const std::string jpeg = jpeg_with_exif(encoded(".jpg", picture(3, 16, 32)), 1);
  CHECK(read_image(folder.write("whole.jpg", jpeg)).size() == cv::Size(16, 32));
  CHECK(
      contains(error_of([&] { (void)read_image(folder.write("cut.jpg", jpeg.substr(0, jpeg.size() - 20))); }),
               "is truncated"));
}

TEST_CASE("a picture that says it must be turned is turned") {
  const PictureFolder folder;
  const std::string jpeg = encoded(".jpg", picture(3, 16, 32));
  const cv::Mat upright = read_image(folder.write("1.jpg", jpeg_with_exif(jpeg, 1)));
  const cv::Mat turned = read_image(folder.write("6.jpg", jpeg_with_exif(jpeg, 6)));
  cv::Mat expected;
  cv::rotate(upright, expected, cv::ROTATE_90_CLOCKWISE);
  CHECK(equal_pixels(turned, expected));
}

TEST_CASE("a JPEG has the pixels that OpenCV gives, of every kind and turned every way") {
  const PictureFolder folder;
  const auto of_opencv = [](const std::string& jpeg) {
    const std::vector<std::uint8_t> bytes(jpeg.begin(), jpeg.end());
    cv::Mat image = cv::imdecode(bytes, cv::IMREAD_COLOR);
    cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
    return image;
  };
  const auto same = [&](const std::string& name, const std::string& jpeg) {
    CAPTURE(name);
    CHECK(equal_pixels(read_image(folder.write(name, jpeg)), of_opencv(jpeg)));
  };
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(3, 50), cv::Size(41, 17), cv::Size(64, 128)}) {
    const cv::Mat image = picture(7, size.width, size.height);
    same("plain.jpg", encoded(".jpg", image));
    same("progressive.jpg", encoded(".jpg", image, {cv::IMWRITE_JPEG_PROGRESSIVE, 1}));
    same("restarts.jpg", encoded(".jpg", image, {cv::IMWRITE_JPEG_RST_INTERVAL, 1}));
    cv::Mat gray;
    cv::cvtColor(image, gray, cv::COLOR_BGR2GRAY);
    same("gray.jpg", encoded(".jpg", gray));
  }
  const std::string turned = encoded(".jpg", picture(3, 16, 32));
  for (char orientation = 0; orientation <= 9; ++orientation) {
    same("turned" + std::to_string(orientation) + ".jpg", jpeg_with_exif(turned, orientation));
  }
  const auto cmyk = std::filesystem::path(golden_directory) / "cmyk.jpg";
  std::ifstream file(cmyk, std::ios::binary);
  const std::string inks((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  REQUIRE(of_opencv(inks).size() == cv::Size(10, 12));
  same("cmyk.jpg", inks);
}

TEST_CASE("EXIF counts wherever it stands among the segments") {
  const PictureFolder folder;
  const std::string jpeg = jpeg_with_exif(encoded(".jpg", picture(3, 16, 32)), 6);
  const std::string xmp = std::string("\xFF\xE1\0\x10", 4) + std::string("http://ns.ad\0\0", 14);
  CHECK(read_image(folder.write("a.jpg", jpeg.substr(0, 2) + xmp + jpeg.substr(2))).size() ==
        cv::Size(32, 16));
}

TEST_CASE("a JPEG damaged in the middle is refused with what libjpeg says, which prints nothing itself") {
  const PictureFolder folder;
  const auto reason = [&](const std::string& jpeg) {
    return folder.without(error_of([&] { (void)read_image(folder.write("a.jpg", jpeg)); }));
  };
  cv::Mat noise(128, 64, CV_8UC3);
  cv::theRNG().state = 5;
  cv::randu(noise, 0, 256);
  const std::string jpeg = encoded(".jpg", noise);
  std::fflush(stderr);
  const int before = ::dup(STDERR_FILENO);
  const int printed = ::open((folder / "printed").c_str(), O_CREAT | O_RDWR, 0600);
  ::dup2(printed, STDERR_FILENO);
  const std::string cut_out = reason(jpeg.substr(0, jpeg.size() / 2) + jpeg.substr(jpeg.size() - 2));
  std::string wild = jpeg;
  // Ones alone, which are no code; of the last bytes, for further inside libjpeg-turbo passes over them.
  for (std::size_t i = wild.size() - 802; i < wild.size() - 402; i += 2) wild.replace(i, 2, "\xFF\0", 2);
  const std::string changed = reason(wild);
  const std::string restarts = encoded(".jpg", noise, {cv::IMWRITE_JPEG_RST_INTERVAL, 1});
  std::string renumbered = restarts;
  const auto mark = renumbered.find("\xFF\xD3");
  REQUIRE(mark != std::string::npos);
  renumbered[mark + 1] = '\xD6';
  const std::string resync = reason(renumbered);
  const std::string deep = reason([&] {
    std::string twelve_bits = jpeg;
    twelve_bits[twelve_bits.find("\xFF\xC0") + 4] = 12;
    return twelve_bits;
  }());
  // Bytes that are left over do no harm.
  const std::string longer = jpeg.substr(0, jpeg.size() - 2) + "left over" + jpeg.substr(jpeg.size() - 2);
  CHECK(equal_pixels(read_image(folder.write("b.jpg", longer)), read_image(folder.write("c.jpg", jpeg))));
  std::fflush(stderr);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(printed);
  const std::string damaged = "a.jpg: error: is damaged: its JPEG data cannot be decoded (";
  CHECK(cut_out == damaged + "Corrupt JPEG data: premature end of data segment)");
  CHECK(changed == damaged + "Corrupt JPEG data: bad Huffman code)");
  CHECK(resync == damaged + "Corrupt JPEG data: found marker 0xd6 instead of RST3)");
  CHECK(deep == damaged + "Unsupported JPEG data precision 12)");
  CHECK(std::filesystem::file_size(folder / "printed") == 0);
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
  const auto refusal = error_of(
      [&] { write_image(folder.path() / "wide.jpg", cv::Mat(1, 70000, CV_8UC3, cv::Scalar::all(0))); });
  CHECK(contains(refusal,
                 "wide.jpg: error: cannot be encoded as .jpg: there is no memory for its 70000 x 1 "
                 "pixels, or they are too many for this format"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("what is an image is found by its content, whatever it is called") {
  const PictureFolder folder;
  const std::string jpeg = encoded(".jpg", picture(1));
  for (const char* name : {"a.JFIF", "b.photo", "c", "d.jpg.orig"}) folder.write(name, jpeg);
  folder.write("e.ppm", encoded(".ppm", picture(2)));
  folder.write("f.JP2", encoded(".jp2", picture(3, 64, 48)));
  folder.write("g.GIF", "GIF89a\x10\0 \0");
  folder.write("h.heic", std::string("\0\0\0\x18", 4) + "ftypheic" + std::string(4, '\0') + "mif1heic");
  folder.write("i.avi",
               "RIFF\x10\x10\x10\x10"
               "AVI LIST");
  folder.write("j.txt", "BMW and P5 are words, GIF is a format");
  folder.write("._k.jpg", jpeg);
  const auto names = list_images(folder.path(), Depth::folder_alone);
  CHECK(names == std::vector<std::string>{"a.JFIF", "b.photo", "c", "d.jpg.orig", "e.ppm", "f.JP2", "g.GIF",
                                          "h.heic"});
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(names[i]);
    CHECK(read_image(folder / names[i]).size() ==
          (names[i] == "f.JP2" ? cv::Size(64, 48) : cv::Size(16, 32)));
  }
  const auto reason = [&](const std::string& name) {
    return folder.without(error_of([&] { (void)read_image(folder / name); }));
  };
  CHECK(reason("h.heic") ==
        "h.heic: error: is an image of the format HEIC, which OpenCV does not decode here; convert it to "
        "JPEG or "
        "PNG");
  CHECK(contains(reason("g.GIF"), "of the format GIF"));
  CHECK(contains(reason("i.avi"), "is a video (AVI), not an image: cut the people out"));
  CHECK(has_images(folder.path(), Depth::folder_alone));
}

namespace {

/// Sets the limit of pixels back to what it was.
struct PixelLimit {
  explicit PixelLimit(std::int64_t pixels) { set_pixel_limit(pixels); }
  ~PixelLimit() { set_pixel_limit(before); }
  std::int64_t before = pixel_limit();
};

}  // namespace

TEST_CASE("a TIFF may be a BigTIFF") {
  const PictureFolder folder;
  const std::string pixels{7, 9};
  const auto file = folder.write(
      "big.tif",
      MadeTiff{.width = 2, .height = 1, .pixels = pixels, .samples = 1, .photometric = 1, .big = true}
          .bytes());
  const auto gray = read_image(file);
  REQUIRE(gray.size() == cv::Size(2, 1));
  CHECK(gray.at<cv::Vec3b>(0, 1) == cv::Vec3b(9, 9, 9));
  const PixelLimit limit(1);
  CHECK(contains(error_of([&] { (void)read_image(file); }), "has 2 x 1 pixels"));
}

TEST_CASE("formats and pixels that are not decoded are refused by the name of the format") {
  const PictureFolder folder;
  const auto reason = [&](const std::string& name, const std::string& content) {
    return folder.without(error_of([&] { (void)read_image(folder.write(name, content)); }));
  };
  CHECK(reason("a.avif", std::string("\0\0\0\x1C", 4) + "ftypavif" + std::string(4, '\0') + "avifmif1miaf") ==
        "a.avif: error: is an image of the format AVIF, which OpenCV does not decode here; convert it to "
        "JPEG or "
        "PNG");
  const MadeTiff floats{.width = 2, .height = 1, .pixels = std::string(24, '\x3F'), .bits = 32, .format = 3};
  const auto of_floats = reason("floats.tif", floats.bytes());
  CHECK(contains(of_floats,
                 "its pixels are of a type that OpenCV does not decode, such as numbers of 32 bits"));
}

TEST_CASE("an image may be far wider than high") {
  const PictureFolder folder;
  const cv::Mat image = picture(2, 30'000, 2);
  cv::Mat bgr;
  cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
  CHECK(equal_pixels(read_image(folder.write("a.png", encoded(".png", bgr))), image));
  CHECK(read_image(folder.write("a.jpg", encoded(".jpg", bgr))).size() == cv::Size(30'000, 2));
}

TEST_CASE("formats are told by their first bytes") {
  const auto format = [](std::string start) {
    start.resize(400, '\0');
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(start.data());
    const auto content = content_of(std::span(bytes, start.size()));
    return (content.kind == ContentKind::video ? "video " : "") + content.format;
  };
  using namespace std::string_literals;
  CHECK(format("\xFF\xD8\xFF\xE0") == "JPEG");
  CHECK(format("II*\0"s) == "TIFF");
  CHECK(format("RIFF\1\1\1\1WEBPVP8 ") == "WebP");
  CHECK(format("\0\0\0\x1C"s + "ftypmif1\0\0\0\0"s + "avifmif1") == "AVIF");
  CHECK(format("\0\0\0\x14"s + "ftypqt  ") == "video QuickTime");
  CHECK(format("\0\0\0\x20"s + "ftypisom\0\0\2\0isomiso2avc1mp41"s) == "video MP4");
  CHECK(format("\x1A\x45\xDF\xA3") == "video Matroska or WebM");
  CHECK(format("P6\n16 32\n255\n") == "Netpbm");
  CHECK(format("P6 is a name").empty());
  CHECK(format("BMP pictures").empty());
  CHECK(content_of(std::span<const std::uint8_t>()).format.empty());
}

TEST_CASE("an image of more pixels than allowed is refused by its header, in every format") {
  const PictureFolder folder;
  CHECK(pixel_limit() == 50'000'000);
  for (const char* ending :
       {".jpg", ".png", ".bmp", ".webp", ".tif", ".jp2", ".ppm", ".pgm", ".hdr", ".ras"}) {
    CAPTURE(ending);
    cv::Mat image = picture(1, 64, 48);
    if (std::string(ending) == ".pgm") cv::cvtColor(image, image, cv::COLOR_BGR2GRAY);
    if (std::string(ending) == ".hdr") image.convertTo(image, CV_32F, 1 / 255.0);
    const auto file = folder.write(std::string("a") + ending, encoded(ending, image));
    CHECK(read_image(file).size() == cv::Size(64, 48));
    const PixelLimit limit(3071);
    CHECK(
        contains(error_of([&] { (void)read_image(file); }),
                 "has 64 x 48 pixels (width x height), more than the 3071 pixels that are allowed; crop the "
                 "person out of it, or raise loader.max_megapixels"));
    set_pixel_limit(3072);
    CHECK_NOTHROW((void)read_image(file));
  }
}

TEST_CASE("the size in a header is judged before anything is decoded") {
  const PictureFolder folder;
  const std::string jpeg = encoded(".jpg", picture(1, 64, 48));
  const auto gap = folder.write("gap.jpg", jpeg.substr(0, 20) + "xx" + jpeg.substr(20));
  CHECK(read_image(gap).size() == cv::Size(64, 48));
  {
    const PixelLimit limit(3071);
    CHECK(contains(error_of([&] { (void)read_image(gap); }), "has 64 x 48 pixels"));
  }
  std::string png = encoded(".png", picture(1, 64, 128));
  png.replace(16, 8, std::string("\0\0\x75\x30\0\0\x75\x30", 8));  // 30,000 x 30,000, with a wrong checksum
  CHECK(contains(error_of([&] { (void)read_image(folder.write("a.png", png)); }),
                 "has 30000 x 30000 pixels (width x height), more than the 50 megapixels"));
  const auto huge = folder.write("huge.jpg", "\xFF\xD8\xFF");
  std::filesystem::resize_file(huge, std::uintmax_t{2} << 30U);
  CHECK(contains(error_of([&] { (void)read_image(huge); }),
                 "has 2147 MB, more than any image of 50 megapixels"));
}

namespace {

/// An image of 64 x 48 pixels whose header is changed so that decoders and a hasty reader find other sizes.
std::string two_sizes(const std::string& name) {
  using namespace std::string_literals;
  const auto bytes = encoded("." + name.substr(name.find('.') + 1), picture(1, 64, 48));
  if (name == "chunk_before_the_first.png") {
    return bytes.substr(0, 8) + "\0\0\0\x08teSt\0\0\0\1\0\0\0\1\0\0\0\0"s + bytes.substr(8);
  }
  if (name == "without_chunk.webp") return bytes.substr(0, 12) + bytes.substr(20);
  if (name == "width_twice.tif") {
    const bool little = bytes[0] == 'I';
    REQUIRE(little);
    auto changed = bytes;
    const auto directory = static_cast<std::size_t>(static_cast<unsigned char>(bytes[4])) +
                           (static_cast<std::size_t>(static_cast<unsigned char>(bytes[5])) << 8U) +
                           (static_cast<std::size_t>(static_cast<unsigned char>(bytes[6])) << 16U);
    // The third entry takes the tag of the first.
    changed.replace(directory + 2 + 2 * 12, 2, changed.substr(directory + 2, 2));
    return changed;
  }
  if (name == "comment_to_a_carriage_return.ppm") return "P6\n# x\r30000 30000\n1 1\n255\n" + bytes;
  if (name == "number_with_a_comment.ppm") return "P6\n1#30000\n 1\n255\n" + bytes;
  REQUIRE(name == "long_line.hdr");
  return "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n" + std::string(127, 'x') +
         "\n-Y 30000 +X 30000\n\n-Y 1 +X 1\n";
}

}  // namespace

TEST_CASE("an image of which decoders may find another size than its header says is not decoded") {
  const PictureFolder folder;
  for (const char* name :
       {"chunk_before_the_first.png", "without_chunk.webp", "width_twice.tif",
        "comment_to_a_carriage_return.ppm", "number_with_a_comment.ppm", "long_line.hdr"}) {
    CAPTURE(name);
    const auto message = error_of([&] { (void)read_image(folder.write(name, two_sizes(name))); });
    CHECK((contains(message, "cannot be decoded (its header does not say how large it is)") ||
           contains(message, "30000 x 30000 pixels")));
  }
}

TEST_CASE("within a scope one thread has a limit of its own, and others that of the process") {
  const PictureFolder folder;
  const auto file = folder.write("a.png", encoded(".png", picture(1, 64, 48)));
  const auto readable = [&] {
    try {
      return !read_image(file).empty();
    } catch (const DataError&) {
      return false;
    }
  };
  const auto elsewhere = [](const auto& ask) { return std::async(std::launch::async, ask).get(); };
  {
    const PixelLimitScope small(3071);
    CHECK_FALSE(readable());
    CHECK(elsewhere(readable));
    CHECK(elsewhere([] { return pixel_limit(); }) == 50'000'000);
    {
      const PixelLimitScope large(3072);
      CHECK(readable());
    }
    CHECK_FALSE(readable());
    set_pixel_limit(40'000'000);
    CHECK(pixel_limit() == 3071);
  }
  CHECK(pixel_limit() == 40'000'000);
  set_pixel_limit(50'000'000);
}

TEST_CASE("only regular files are read as images") {
  const PictureFolder folder;
  REQUIRE(::mkfifo((folder / "pipe.jpg").c_str(), 0600) == 0);
  CHECK(contains(error_of([&] { (void)read_image(folder / "pipe.jpg"); }),
                 "is a pipe, socket or device, not a file"));
  CHECK(contains(error_of([&] { (void)read_image("/dev/zero"); }), "is a pipe, socket or device"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(list_images(folder.path(), Depth::all_below) == std::vector<std::string>{"pipe.jpg"});
}

TEST_CASE("what is not known as an image is not decoded, as its size could not be judged before") {
  const PictureFolder folder;
  std::string bmp = encoded(".bmp", picture(1, 64, 48));
  bmp[16] = 1;  // of the length of its second header, which OpenCV takes
  const PixelLimit limit(3071);
  CHECK(contains(error_of([&] { (void)read_image(folder.write("unknown.bmp", bmp)); }),
                 "unknown.bmp: error: is not an image in a known format"));
}
