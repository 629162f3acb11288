#include "command/convert.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <vector>

#include "data/each_image.h"
#include "file/atomic_file.h"
#include "file/folder_beside.h"
#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "text/number_text.h"

namespace kindred::command {
namespace {

/// A layout's files, if each sample has one of its own and all of them lie in the data set's folder.
LayoutFiles checked_files(const Layout& layout, const std::vector<Sample>& samples,
                          const ConvertOptions& options) {
  const auto ending = options.ending.empty() ? layout.ending() : options.ending;
  auto files = layout.files(samples, ending);
  const auto fail = [&](const std::string& message) {
    throw ComponentError("layout/" + options.layout, message);
  };
  if (files.images.size() != samples.size()) {
    fail("has " + std::to_string(files.images.size()) + " files for " + std::to_string(samples.size()) +
         " images");
  }
  std::set<std::string> taken;
  const auto check = [&](const std::string& name) {
    const std::filesystem::path path(name);
    if (path.is_absolute() || !path.has_filename() || path != path.lexically_normal() ||
        *path.begin() == "..") {
      fail("'" + name + "' is not a file in the data set's folder");
    }
    if (!taken.insert(name).second) fail("has two files '" + name + "'");
  };
  for (const auto& image : files.images) {
    check(image);
    if (!image.ends_with("." + ending)) fail("'" + image + "' does not end in '." + ending + "'");
  }
  for (const auto& list : files.lists) check(list.path);
  return files;
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  errno = 0;
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw DataError(file, "cannot be written: " + std::generic_category().message(errno));
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw DataError(folder, "cannot be created: " + failure.message());
}

void require_free(const std::filesystem::path& target) {
  std::error_code failure;
  const bool there = std::filesystem::exists(target, failure);
  if (failure) throw DataError(target, "cannot be written: " + failure.message());
  if (there &&
      (!std::filesystem::is_directory(target, failure) || !std::filesystem::is_empty(target, failure))) {
    throw DataError(target, "already exists; choose a folder that is empty or does not exist");
  }
}

/// The same folder however it is written: "out/" has no name. Of a link it is the folder behind it: a folder
/// cannot be renamed to a link.
std::filesystem::path plain_folder(const std::filesystem::path& folder) {
  const auto absolute = std::filesystem::absolute(folder).lexically_normal();
  const auto plain = absolute.has_filename() ? absolute : absolute.parent_path();
  std::error_code failure;
  if (!std::filesystem::is_symlink(plain, failure)) return plain;
  const auto behind = std::filesystem::canonical(plain, failure);
  if (failure) throw DataError(folder, "is a link to no folder (" + failure.message() + "); remove the link");
  return behind;
}

/// Warns of images that are on both sides of the test: written twice, they are two.
void note_queries_in_gallery(const std::vector<Sample>& samples, progress::ProgressSink& sink) {
  std::unordered_set<std::string_view> gallery;
  for (const auto& sample : samples) {
    if (sample.split == Split::gallery) gallery.insert(sample.path);
  }
  const auto both = std::count_if(samples.begin(), samples.end(), [&](const Sample& sample) {
    return sample.split == Split::query && gallery.contains(sample.path);
  });
  if (both == 0) return;
  sink.note(
      "warning: " + text::count_text(both, "image is", "images are") +
      " both a query and in the gallery, and written twice: evaluation leaves out the query itself, but "
      "not a copy of it, unless both are of one known camera");
}

}  // namespace

void convert_dataset(const Dataset& dataset, const Layout& layout, const ConvertOptions& options,
                     progress::ProgressSink* sink) {
  if ((options.height > 0) != (options.width > 0) || options.height < 0) {
    throw std::logic_error("convert_dataset: height and width are both 0 or both above");
  }
  const auto samples = dataset.samples();
  const auto files = checked_files(layout, samples, options);
  const auto target = plain_folder(options.out);
  require_free(target);
  if (sink != nullptr) note_queries_in_gallery(samples, *sink);
  const file::FolderBeside beside(target);
  const auto made = beside.path() / target.filename();

  std::set<std::filesystem::path> folders = {made};
  for (const auto& image : files.images) folders.insert((made / image).parent_path());
  for (const auto& list : files.lists) folders.insert((made / list.path).parent_path());
  for (const auto& folder : folders) make_folder(folder);

  data::for_each_image(samples.size(), "convert", sink, [&](std::size_t i) {
    cv::Mat image = dataset.image(samples[i]);
    if (options.height > 0 && image.size() != cv::Size(options.width, options.height)) {
      cv::Mat resized;
      cv::resize(image, resized, {options.width, options.height}, 0, 0, cv::INTER_LINEAR);
      image = resized;
    }
    write_image(made / files.images[i], image);
  });
  for (const auto& list : files.lists) write_text(made / list.path, list.content);
  file::put_in_place(made, target);
}

}  // namespace kindred::command
