#include "kindred/image/image.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "exif.h"
#include "image_size.h"
#include "jpeg.h"
#include "kindred/core/error.h"
#include "kindred/image/decode.h"
#include "kindred/image/file_content.h"
#include "kindred/text/text_file.h"
#include "pixel_limit_scope.h"

namespace kindred {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, 8> png_signature = {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

std::atomic<std::int64_t> most_pixels = 50'000'000;
thread_local std::int64_t most_pixels_here = 0;  // of a PixelLimitScope; 0: there is none

void require_limit(std::int64_t pixels) {
  if (pixels < 1) throw std::logic_error("the limit of pixels must be at least 1");
}

/// With the digits that matter: "50 megapixels", "1.5 megapixels", "1200 pixels".
std::string pixels_text(std::int64_t pixels) {
  if (pixels < 1'000'000) return std::to_string(pixels) + " pixels";
  const auto tenths = (pixels + 50'000) / 100'000;
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) +
         " megapixels";
}

void check_file_size(const std::filesystem::path& file, std::int64_t size) {
  // The widest pixels have four channels of 32 bits; headers and profiles come on top.
  constexpr std::int64_t widest_pixel = 16;
  constexpr std::int64_t other = 16 << 20;
  if (size / widest_pixel <= pixel_limit() + other / widest_pixel) return;
  throw DataError(file, "has " + std::to_string(size / 1'000'000) + " MB, more than any image of " +
                            pixels_text(pixel_limit()) +
                            ", the most that is allowed (loader.max_megapixels)");
}

Bytes read_bytes(const std::filesystem::path& file) {
  if (const auto why = why_not_a_file(file); !why.empty()) {
    throw DataError(file, why == "is a folder" ? "is a folder, not an image" : why);
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) throw DataError(file, "cannot be opened: " + reason(errno));
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (size < 0) throw DataError(file, "cannot be read: " + reason(errno));
  check_file_size(file, size);
  Bytes bytes(static_cast<std::size_t>(size));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), size);
  if (in.gcount() != size) throw DataError(file, "cannot be read completely: " + reason(errno));
  return bytes;
}

/// Throws for more pixels than are allowed.
/// @return whether the header says how many there are
bool check_pixels(const std::filesystem::path& file, const FileContent& content, const Bytes& bytes) {
  const auto size = image_size(content.format, bytes);
  // By division: the sizes in a header may be anything.
  if (!size || size->width <= pixel_limit() / size->height) return size.has_value();
  throw DataError(file, "has " + std::to_string(size->width) + " x " + std::to_string(size->height) +
                            " pixels (width x height), more than the " + pixels_text(pixel_limit()) +
                            " that are allowed; crop the person out of it, or raise loader.max_megapixels");
}

/// Whether this build of OpenCV decodes a format. It tells only what it encodes, which is the same.
bool is_decoded(const std::string& format) {
  constexpr std::array<std::pair<std::string_view, const char*>, 9> known = {{{"JPEG", ".jpg"},
                                                                              {"PNG", ".png"},
                                                                              {"BMP", ".bmp"},
                                                                              {"WebP", ".webp"},
                                                                              {"TIFF", ".tif"},
                                                                              {"JPEG 2000", ".jp2"},
                                                                              {"Netpbm", ".ppm"},
                                                                              {"Sun raster", ".ras"},
                                                                              {"Radiance HDR", ".hdr"}}};
  return std::any_of(known.begin(), known.end(), [&](const auto& entry) {
    return entry.first == format && cv::haveImageWriter(entry.second);
  });
}

/// Why the content of a file was not decoded.
std::string refusal(const FileContent& content, const std::string& detail) {
  if (content.kind == ContentKind::video) return video_text(content);
  if (content.kind == ContentKind::other && detail.empty()) {
    return "is not an image in a known format (JPEG, PNG, BMP, WebP, TIFF, JPEG 2000, Netpbm)";
  }
  if (content.format == "TIFF" && detail.empty()) {
    return "is damaged, or its pixels are of a type that OpenCV does not decode, such as numbers of 32 bits: "
           "its "
           "TIFF data cannot be decoded; convert it to JPEG or PNG";
  }
  if (content.kind == ContentKind::other || is_decoded(content.format)) {
    return "is damaged: its " + (content.format.empty() ? "image" : content.format) +
           " data cannot be decoded" + detail;
  }
  return "is an image of the format " + content.format +
         ", which OpenCV does not decode here; convert it to JPEG or PNG";
}

bool is_jpeg(const Bytes& bytes) {
  return bytes.size() >= 2 && bytes[0] == 0xFF && bytes[1] == 0xD8;
}

bool is_png(const Bytes& bytes) {
  return bytes.size() >= png_signature.size() &&
         std::equal(png_signature.begin(), png_signature.end(), bytes.begin());
}

/// Walks the segments of a JPEG (ITU T.81, annex B) to its end mark EOI. Thumbnails lie inside a segment and
/// are stepped over with it.
bool jpeg_is_whole(const Bytes& bytes) {
  const std::uint8_t* const end = bytes.data() + bytes.size();
  const std::uint8_t* at = bytes.data() + 2;
  while (true) {
    // The next marker: also after a scan, whose data hold FF only before 00 or as a restart marker.
    at = static_cast<const std::uint8_t*>(std::memchr(at, 0xFF, static_cast<std::size_t>(end - at)));
    if (at == nullptr) return false;
    while (at < end && *at == 0xFF) ++at;
    if (at == end) return false;
    const std::uint8_t marker = *at++;
    if (marker == 0xD9) return true;
    const bool alone = marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    if (alone) continue;
    if (end - at < 2) return false;
    const std::ptrdiff_t length = at[0] * 256 + at[1];
    if (length < 2 || end - at < length) return false;
    at += length;
  }
}

/// Walks the chunks of a PNG to IEND.
bool png_is_whole(const Bytes& bytes) {
  std::size_t at = png_signature.size();
  while (bytes.size() - at >= 12) {
    const std::uint8_t* const chunk = bytes.data() + at;
    const std::size_t length = (std::size_t{chunk[0]} << 24) | (std::size_t{chunk[1]} << 16) |
                               (std::size_t{chunk[2]} << 8) | std::size_t{chunk[3]};
    if (length > bytes.size() - at - 12) return false;
    if (std::memcmp(chunk + 4, "IEND", 4) == 0) return true;
    at += 12 + length;
  }
  return false;
}

std::string lower_ending(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending;
}

/// What write_image() writes.
constexpr std::array<std::string_view, 7> written_endings = {".jpg",  ".jpeg", ".png", ".bmp",
                                                             ".webp", ".tif",  ".tiff"};

/// What images are called: such files are not opened to see what they are.
constexpr std::array<std::string_view, 26> image_endings = {
    ".jpg",  ".jpeg", ".jpe",  ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif",
    ".tiff", ".jp2",  ".j2k",  ".jpx",  ".pbm", ".pgm", ".ppm", ".pnm",  ".pam",
    ".gif",  ".avif", ".heic", ".heif", ".hif", ".jxl", ".qoi", ".exr"};

template <std::size_t count>
bool is_among(const std::string& ending, const std::array<std::string_view, count>& endings) {
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

/// Hands the images of a folder to `found` until it returns false, in no fixed order. Each folder is entered
/// once: links are followed after the folders that lie there themselves, in the order of their names, so that
/// folders that link to each other are no endless way and what is found does not depend on the file system.
/// @param found is given the path relative to the folder that was asked for
class ImageWalk {
 public:
  ImageWalk(Depth depth, std::function<bool(std::string)> found) : depth_(depth), found_(std::move(found)) {}

  /// False when `found` has returned false.
  bool through(const std::filesystem::path& folder) {
    links_ = {{"", folder}};
    while (!links_.empty()) {
      const auto link = links_.extract(links_.begin());
      if (!into(link.mapped(), link.key())) return false;
    }
    return true;
  }

 private:
  bool into(const std::filesystem::path& folder, const std::string& prefix) {
    if (!entered_.insert(std::filesystem::canonical(folder)).second) return true;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('.')) continue;
      std::error_code link_to_nothing;
      if (entry.is_directory(link_to_nothing)) {
        if (depth_ == Depth::folder_alone) continue;
        if (entry.is_symlink()) {
          links_.emplace(prefix + name + '/', entry.path());
        } else if (!into(entry.path(), prefix + name + '/')) {
          return false;
        }
      } else if (is_image_file(entry.path()) && !found_(prefix + name)) {
        return false;
      }
    }
    return true;
  }

  Depth depth_;
  std::function<bool(std::string)> found_;
  std::map<std::string, std::filesystem::path> links_;  ///< to follow, by the paths that images get
  std::set<std::filesystem::path> entered_;
};

std::vector<std::string> quoted_few(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 3;
  std::vector<std::string> few;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) few.push_back('\'' + names[i] + '\'');
  if (names.size() > shown) few.push_back(std::to_string(names.size() - shown) + " more");
  return few;
}

/// "'a', 'b', 'c' and 4 more"
std::string few_text(const std::vector<std::string>& names) {
  const auto few = quoted_few(names);
  std::string text;
  for (std::size_t i = 0; i < few.size(); ++i) {
    if (i > 0) text += i + 1 == few.size() ? " and " : ", ";
    text += few[i];
  }
  return text;
}

/// Throws for the names that are not UTF-8.
void check_names(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  std::vector<std::string> foreign;
  for (const auto& name : names) {
    if (!is_utf8(name)) foreign.push_back(escaped(name));
  }
  if (foreign.empty()) return;
  const auto count = foreign.size();
  throw DataError(folder, (count == 1 ? std::string("the name of an image")
                                      : "the names of " + std::to_string(count) + " images") +
                              " in it " + (count == 1 ? "is" : "are") + " not UTF-8: " + few_text(foreign) +
                              "; rename them, such as with: convmv -r -f latin1 -t utf8 --notest FOLDER");
}

}  // namespace

cv::Mat read_image(const std::filesystem::path& file) {
  return decode_image(read_bytes(file), file);
}

cv::Mat decode_image(const Bytes& bytes, const std::filesystem::path& file) {
  if (bytes.empty()) throw DataError(file, "is empty (0 bytes)");
  const bool jpeg = is_jpeg(bytes);
  const bool png = is_png(bytes);
  if ((jpeg && !jpeg_is_whole(bytes)) || (png && !png_is_whole(bytes))) {
    throw DataError(file, std::string("is truncated: the ") + (jpeg ? "JPEG" : "PNG") + " data stops after " +
                              std::to_string(bytes.size()) +
                              " bytes without an end mark; copy the file again");
  }
  const auto content = content_of(std::span(bytes));
  const bool has_known_size = check_pixels(file, content, bytes);
  if (content.format == "JPEG") {
    auto picture = decode_jpeg(bytes);
    if (picture.pixels.empty()) throw DataError(file, refusal(content, " (" + picture.problem + ")"));
    return std::move(picture.pixels);
  }
  cv::Mat image;
  std::string detail;
  if (is_decoded(content.format) && !has_known_size) detail = " (its header does not say how large it is)";
  // OpenCV turns images of the other formats by their EXIF data, WebP only in later versions.
  const bool webp = content.format == "WebP";
  try {
    // The memory that decoding takes is known before, or nothing is decoded.
    if (has_known_size) {
      image = cv::imdecode(bytes, webp ? cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION : cv::IMREAD_COLOR);
    }
  } catch (const cv::Exception& error) {
    detail = " (" + error.err + ")";
  }
  if (image.empty()) throw DataError(file, refusal(content, detail));
  cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  return webp ? upright(image, webp_orientation(bytes)) : image;
}

std::int64_t pixel_limit() {
  return most_pixels_here > 0 ? most_pixels_here : most_pixels.load(std::memory_order_relaxed);
}

void set_pixel_limit(std::int64_t pixels) {
  require_limit(pixels);
  most_pixels.store(pixels, std::memory_order_relaxed);
}

PixelLimitScope::PixelLimitScope(std::int64_t pixels) : before_(most_pixels_here) {
  require_limit(pixels);
  most_pixels_here = pixels;
}

PixelLimitScope::~PixelLimitScope() {
  most_pixels_here = before_;
}

void write_image(const std::filesystem::path& file, const cv::Mat& image) {
  if (image.empty() || image.type() != CV_8UC3) {
    throw std::logic_error("write_image needs an 8-bit image with three channels");
  }
  const std::string ending = lower_ending(file);
  if (!is_among(ending, written_endings)) {
    throw DataError(file,
                    "has the extension '" + ending + "', which is not an image format; use .png or .jpg");
  }
  cv::Mat bgr;
  cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
  Bytes bytes;
  try {
    if (!cv::imencode(ending, bgr, bytes)) throw DataError(file, "cannot be encoded as " + ending);
  } catch (const cv::Exception& error) {
    throw DataError(file, "cannot be encoded as " + ending + ": " + error.err);
  }
  errno = 0;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  if (!out) throw DataError(file, "cannot be written: " + reason(errno));
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) {
    const std::string why = reason(errno);
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    throw DataError(file, "cannot be written: " + why);
  }
}

bool has_image_ending(const std::filesystem::path& file) {
  return !file.filename().string().starts_with('.') && is_among(lower_ending(file), image_endings);
}

bool is_image_file(const std::filesystem::path& file) {
  std::error_code missing;
  if (std::filesystem::is_directory(file, missing)) return false;
  if (has_image_ending(file)) return true;
  return !file.filename().string().starts_with('.') && content_of(file).kind == ContentKind::image;
}

std::vector<std::string> list_images(const std::filesystem::path& folder, Depth depth) {
  std::error_code failure;
  const auto status = std::filesystem::status(folder, failure);
  if (status.type() == std::filesystem::file_type::not_found) throw DataError(folder, "does not exist");
  if (failure) throw DataError(folder, "cannot be listed: " + failure.message());
  if (!std::filesystem::is_directory(status)) throw DataError(folder, "is not a folder");
  std::vector<std::string> found;
  try {
    ImageWalk walk(depth, [&](std::string name) {
      found.push_back(std::move(name));
      return true;
    });
    walk.through(folder);
  } catch (const std::filesystem::filesystem_error& error) {
    throw DataError(error.path1().empty() ? folder : error.path1(),
                    "cannot be listed: " + error.code().message());
  }
  std::sort(found.begin(), found.end());
  check_names(folder, found);
  return found;
}

bool has_images(const std::filesystem::path& folder, Depth depth) {
  std::error_code failure;
  if (!std::filesystem::is_directory(folder, failure)) return false;
  try {
    ImageWalk walk(depth, [](const std::string&) { return false; });
    return !walk.through(folder);
  } catch (const std::filesystem::filesystem_error&) {
    return false;
  }
}

std::string what_is_instead_of_images(const std::filesystem::path& folder) {
  std::vector<std::string> with_images;
  std::vector<std::string> videos;
  std::vector<std::string> others;
  std::string video;
  std::error_code failure;
  std::filesystem::directory_iterator at(folder, failure);
  for (const std::filesystem::directory_iterator end; !failure && at != end; at.increment(failure)) {
    const auto name = at->path().filename().string();
    if (name.starts_with('.')) continue;
    if (has_images(at->path(), Depth::all_below)) {
      with_images.push_back(escaped(name));
    } else if (const auto content = content_of(at->path()); content.kind == ContentKind::video) {
      videos.push_back(escaped(name));
      video = video_text(content);
    } else {
      others.push_back(escaped(name));
    }
  }
  if (failure) return "it cannot be listed: " + failure.message();
  for (auto* names : {&with_images, &videos, &others}) std::sort(names->begin(), names->end());
  if (!with_images.empty()) return "its images are in folders below it: " + few_text(with_images);
  if (!videos.empty()) return few_text(videos) + " " + video;
  return others.empty() ? "it is empty" : "it holds other things: " + few_text(others);
}

}  // namespace kindred
