#include "kindred/image/image_files.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "image_ending.h"
#include "kindred/core/error.h"
#include "kindred/core/utf8.h"
#include "kindred/image/file_content.h"

namespace kindred {
namespace {

/// What images are called: such files are not opened to see what they are.
constexpr std::array<std::string_view, 26> image_endings = {
    ".jpg",  ".jpeg", ".jpe",  ".jfif", ".png", ".bmp", ".dib", ".webp", ".tif",
    ".tiff", ".jp2",  ".j2k",  ".jpx",  ".pbm", ".pgm", ".ppm", ".pnm",  ".pam",
    ".gif",  ".avif", ".heic", ".heif", ".hif", ".jxl", ".qoi", ".exr"};

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
      // A link to nothing is no folder; one to what may not be read may be one to be entered, or a bad image
      // by its name.
      std::error_code failure;
      const bool is_folder = entry.is_directory(failure);
      if (failure == std::errc::permission_denied && depth_ == Depth::all_below &&
          !has_image_ending(entry.path())) {
        throw std::filesystem::filesystem_error("cannot be read", entry.path(), failure);
      }
      if (is_folder) {
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

std::string lower_ending(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending;
}

bool has_image_ending(const std::filesystem::path& file) {
  return !file.filename().string().starts_with('.') &&
         std::find(image_endings.begin(), image_endings.end(), lower_ending(file)) != image_endings.end();
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
