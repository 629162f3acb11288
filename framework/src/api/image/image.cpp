#include "kindred/image/image.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "exif.h"
#include "image_ending.h"
#include "image_size.h"
#include "jpeg.h"
#include "kindred/core/error.h"
#include "kindred/image/decode.h"
#include "kindred/image/encode.h"
#include "kindred/image/file_content.h"
#include "kindred/text/text_file.h"
#include "pixel_limit_scope.h"
#include "written_formats.h"

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
  const bool is_known =
      std::any_of(written_formats.begin(), written_formats.end(),
                  [&](std::string_view format) { return ending == "." + std::string(format); });
  if (!is_known) {
    throw DataError(file,
                    "has the extension '" + ending + "', which is not an image format; use .png or .jpg");
  }
  const auto bytes = encode_image(image, ending, file);
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

}  // namespace kindred
