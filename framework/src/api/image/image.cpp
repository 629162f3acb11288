#include "kindred/image/image.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "kindred/core/error.h"

namespace kindred {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, 8> png_signature = {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};

std::string reason(int error_number) {
  return std::generic_category().message(error_number);
}

Bytes read_bytes(const std::filesystem::path& file) {
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (!std::filesystem::exists(status)) throw DataError(file, "does not exist");
  if (std::filesystem::is_directory(status)) throw DataError(file, "is a folder, not an image");
  errno = 0;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) throw DataError(file, "cannot be opened: " + reason(errno));
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (size < 0) throw DataError(file, "cannot be read: " + reason(errno));
  Bytes bytes(static_cast<std::size_t>(size));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), size);
  if (in.gcount() != size) throw DataError(file, "cannot be read completely: " + reason(errno));
  return bytes;
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

constexpr std::array<std::string_view, 7> image_endings = {".jpg",  ".jpeg", ".png", ".bmp",
                                                           ".webp", ".tif",  ".tiff"};

/// @param open the folders on the way down, by their true paths: a link back to one of them is passed over
void list_into(std::vector<std::string>& found, const std::filesystem::path& folder,
               const std::string& prefix, Depth depth, std::set<std::filesystem::path>& open) {
  const auto here = open.insert(std::filesystem::canonical(folder));
  if (!here.second) return;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    std::error_code link_to_nothing;
    const bool is_folder = entry.is_directory(link_to_nothing);
    if (has_image_ending(entry.path()) && !is_folder) {
      found.push_back(prefix + name);
    } else if (depth == Depth::all_below && !name.starts_with('.') && is_folder) {
      list_into(found, entry.path(), prefix + name + '/', depth, open);
    }
  }
  open.erase(here.first);
}

}  // namespace

cv::Mat read_image(const std::filesystem::path& file) {
  const Bytes bytes = read_bytes(file);
  if (bytes.empty()) throw DataError(file, "is empty (0 bytes)");
  const bool jpeg = is_jpeg(bytes);
  const bool png = is_png(bytes);
  if ((jpeg && !jpeg_is_whole(bytes)) || (png && !png_is_whole(bytes))) {
    throw DataError(file, std::string("is truncated: the ") + (jpeg ? "JPEG" : "PNG") + " data stops after " +
                              std::to_string(bytes.size()) +
                              " bytes without an end mark; copy the file again");
  }
  cv::Mat image;
  std::string detail;
  try {
    image = cv::imdecode(bytes, cv::IMREAD_COLOR);
  } catch (const cv::Exception& error) {
    detail = " (" + error.err + ")";
  }
  if (image.empty()) {
    if (jpeg || png || !detail.empty()) {
      throw DataError(file, std::string("is damaged: its ") +
                                (jpeg  ? "JPEG "
                                 : png ? "PNG "
                                       : "image ") +
                                "data cannot be decoded" + detail);
    }
    throw DataError(file, "is not an image in a known format (JPEG, PNG, BMP, WebP, TIFF)");
  }
  cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  return image;
}

void write_image(const std::filesystem::path& file, const cv::Mat& image) {
  if (image.empty() || image.type() != CV_8UC3) {
    throw std::logic_error("write_image needs an 8-bit image with three channels");
  }
  const std::string ending = lower_ending(file);
  if (std::find(image_endings.begin(), image_endings.end(), ending) == image_endings.end()) {
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
  if (file.filename().string().starts_with('.')) return false;
  const std::string ending = lower_ending(file);
  return std::find(image_endings.begin(), image_endings.end(), ending) != image_endings.end();
}

std::vector<std::string> list_images(const std::filesystem::path& folder, Depth depth) {
  std::error_code failure;
  const auto status = std::filesystem::status(folder, failure);
  if (!std::filesystem::exists(status)) throw DataError(folder, "does not exist");
  if (!std::filesystem::is_directory(status)) throw DataError(folder, "is not a folder");
  std::vector<std::string> found;
  try {
    std::set<std::filesystem::path> open;
    list_into(found, folder, "", depth, open);
  } catch (const std::filesystem::filesystem_error& error) {
    throw DataError(error.path1().empty() ? folder : error.path1(),
                    "cannot be listed: " + error.code().message());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace kindred
