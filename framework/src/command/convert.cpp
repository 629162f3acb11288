#include "command/convert.h"

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "data/each_image.h"
#include "file/atomic_file.h"
#include "file/folder_lock.h"
#include "kindred/core/error.h"
#include "kindred/image/image.h"

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

/// The folder that is written to, removed again unless it is finished.
class PartialFolder {
 public:
  explicit PartialFolder(std::filesystem::path target) : target_(std::move(target)) {
    std::error_code failure;
    if (std::filesystem::exists(target_, failure) &&
        (!std::filesystem::is_directory(target_, failure) || !std::filesystem::is_empty(target_, failure))) {
      throw DataError(target_, "already exists; choose a folder that is empty or does not exist");
    }
    partial_ = target_;
    partial_ += ".partial";
    if (std::filesystem::exists(partial_, failure)) {
      if (!std::filesystem::exists(partial_ / file::FolderLock::name, failure) &&
          !std::filesystem::is_empty(partial_, failure)) {
        throw DataError(partial_, "already exists, and was not made by this command; move it away");
      }
      // What a command has left that was killed; one that still works on it refuses the lock.
      { const file::FolderLock lock(partial_, "folder"); }
      std::filesystem::remove_all(partial_, failure);
      if (failure) throw DataError(partial_, "cannot be removed: " + failure.message());
    }
    lock_.emplace(partial_, "folder");
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  ~PartialFolder() {
    std::error_code ignored;
    if (!finished_) std::filesystem::remove_all(partial_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return partial_; }

  void finish() {
    std::error_code failure;
    std::filesystem::remove(partial_ / file::FolderLock::name, failure);
    if (failure) throw DataError(partial_, "cannot be finished: " + failure.message());
    file::put_in_place(partial_, target_);
    finished_ = true;
  }

 private:
  std::filesystem::path target_;
  std::filesystem::path partial_;
  std::optional<file::FolderLock> lock_;
  bool finished_ = false;
};

/// The same folder however it is written: "out/" has no name that ".partial" could be added to.
std::filesystem::path plain_folder(const std::filesystem::path& folder) {
  const auto absolute = std::filesystem::absolute(folder).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

}  // namespace

void convert_dataset(const Dataset& dataset, const Layout& layout, const ConvertOptions& options,
                     progress::ProgressSink* sink) {
  if ((options.height > 0) != (options.width > 0) || options.height < 0) {
    throw std::logic_error("convert_dataset: height and width are both 0 or both above");
  }
  const auto samples = dataset.samples();
  const auto files = checked_files(layout, samples, options);
  PartialFolder partial(plain_folder(options.out));

  std::set<std::filesystem::path> folders;
  for (const auto& image : files.images) folders.insert((partial.path() / image).parent_path());
  for (const auto& list : files.lists) folders.insert((partial.path() / list.path).parent_path());
  for (const auto& folder : folders) make_folder(folder);

  data::for_each_image(samples.size(), "convert", sink, [&](std::size_t i) {
    cv::Mat image = dataset.image(samples[i]);
    if (options.height > 0 && image.size() != cv::Size(options.width, options.height)) {
      cv::Mat resized;
      cv::resize(image, resized, {options.width, options.height}, 0, 0, cv::INTER_LINEAR);
      image = resized;
    }
    write_image(partial.path() / files.images[i], image);
  });
  for (const auto& list : files.lists) write_text(partial.path() / list.path, list.content);
  partial.finish();
}

}  // namespace kindred::command
