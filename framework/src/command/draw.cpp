#include "command/draw.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <functional>
#include <map>
#include <opencv2/imgproc.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

#include "data/each_image.h"
#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/text/csv.h"

namespace kindred::command {
namespace {

constexpr std::array<std::pair<const char*, Layout>, 3> layouts = {
    {{"market", Layout::market}, {"naic", Layout::naic}, {"manifest", Layout::manifest}}};

/// A number with leading zeros.
std::string digits(std::int64_t number, std::size_t width) {
  std::string text = std::to_string(number);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

/// Where each sample goes, and the lists beside the images.
struct FilePlan {
  std::vector<std::string> paths;                          ///< for each sample, relative to the folder
  std::vector<std::pair<std::string, std::string>> texts;  ///< further files: path, content
};

std::string manifest_of(const std::vector<Sample>& samples, const std::vector<std::string>& paths,
                        const std::function<bool(const Sample&)>& wanted) {
  std::ostringstream out;
  write_csv_row(out, {"path", "identity", "camera", "split", "domain"});
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    if (!wanted(sample)) continue;
    write_csv_row(
        out, {paths[i], sample.identity == unlabelled_identity ? "" : std::to_string(sample.identity),
              sample.camera == unknown_camera ? "" : std::to_string(sample.camera), split_name(sample.split),
              sample.domain});
  }
  return out.str();
}

FilePlan plan_market(const std::vector<Sample>& samples, const std::string& ending) {
  FilePlan plan;
  std::map<std::tuple<Split, std::int64_t, std::int64_t>, std::int64_t> frames;
  for (const Sample& sample : samples) {
    if (sample.identity == unlabelled_identity) {
      throw DataError(sample.path,
                      "is unlabeled, but the file names of the layout 'market' need an identity; use the "
                      "layout 'manifest'");
    }
    if (sample.camera == unknown_camera) {
      throw DataError(
          sample.path,
          "has no camera, but the file names of the layout 'market' need one; use the layout 'manifest'");
    }
    const char* folder = sample.split == Split::train   ? "bounding_box_train"
                         : sample.split == Split::query ? "query"
                                                        : "bounding_box_test";
    const std::string identity = sample.identity == junk_identity ? "-1" : digits(sample.identity, 4);
    const std::int64_t frame = ++frames[{sample.split, sample.identity, sample.camera}];
    plan.paths.push_back(std::string(folder) + '/' + identity + "_c" + std::to_string(sample.camera) + "s1_" +
                         digits(frame, 6) + "_00." + ending);
  }
  return plan;
}

FilePlan plan_naic(const std::vector<Sample>& samples, const std::string& ending) {
  FilePlan plan;
  std::string list;
  std::map<Split, std::int64_t> numbers;
  bool answers = false;
  for (const Sample& sample : samples) {
    const std::string name = digits(++numbers[sample.split], 9) + '.' + ending;
    if (sample.split != Split::train) {
      plan.paths.push_back(std::string(split_name(sample.split)) + "_a/" + name);
      answers = answers || sample.identity != unlabelled_identity;
      continue;
    }
    if (sample.identity < 0) {
      throw DataError(
          sample.path,
          "has no identity, but the training list of the layout 'naic' needs one; use the layout 'manifest'");
    }
    plan.paths.push_back("train/image/" + name);
    list += "train/" + name + ' ' + std::to_string(sample.identity) + '\n';
  }
  if (numbers.contains(Split::query) != numbers.contains(Split::gallery)) {
    throw DataError("layout 'naic'",
                    std::string("needs both queries and gallery or neither, but the data set has no ") +
                        (numbers.contains(Split::query) ? "gallery" : "queries"));
  }
  if (!list.empty()) plan.texts.emplace_back("train/label/train_list.txt", std::move(list));
  if (answers) {
    plan.texts.emplace_back("answers.csv", manifest_of(samples, plan.paths, [](const Sample& sample) {
                              return sample.split != Split::train;
                            }));
  }
  return plan;
}

FilePlan plan_manifest(const std::vector<Sample>& samples, const std::string& ending) {
  FilePlan plan;
  std::map<Split, std::int64_t> numbers;
  for (const Sample& sample : samples) {
    plan.paths.push_back(std::string(split_name(sample.split)) + '/' + digits(++numbers[sample.split], 6) +
                         '.' + ending);
  }
  plan.texts.emplace_back("manifest.csv",
                          manifest_of(samples, plan.paths, [](const Sample&) { return true; }));
  return plan;
}

FilePlan plan_files(const std::vector<Sample>& samples, const WriteOptions& options) {
  const std::string ending = !options.format.empty()            ? options.format
                             : options.layout == Layout::market ? "jpg"
                                                                : "png";
  switch (options.layout) {
    case Layout::market:
      return plan_market(samples, ending);
    case Layout::naic:
      return plan_naic(samples, ending);
    case Layout::manifest:
      return plan_manifest(samples, ending);
  }
  throw std::logic_error("unknown layout");
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
      throw DataError(partial_,
                      "already exists: an earlier command was stopped or is still running; delete the folder "
                      "if none is running");
    }
    make_folder(partial_);
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
    std::filesystem::rename(partial_, target_, failure);
    if (failure)
      throw DataError(target_, "cannot be created from " + partial_.string() + ": " + failure.message());
    finished_ = true;
  }

 private:
  std::filesystem::path target_;
  std::filesystem::path partial_;
  bool finished_ = false;
};

/// The same folder however it is written: "out/" has no name that ".partial" could be added to.
std::filesystem::path plain_folder(const std::filesystem::path& folder) {
  const auto absolute = std::filesystem::absolute(folder).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

}  // namespace

std::vector<std::string> layout_names() {
  std::vector<std::string> names;
  for (const auto& [name, layout] : layouts) names.emplace_back(name);
  return names;
}

Layout layout_of(const std::string& name) {
  for (const auto& [known, layout] : layouts) {
    if (name == known) return layout;
  }
  throw RecipeError({"--layout", 0, 0},
                    "'" + name + "' is not a layout; allowed are " + quoted_list(layout_names()));
}

void write_dataset(const Dataset& dataset, const std::filesystem::path& folder, const WriteOptions& options,
                   progress::ProgressSink* sink) {
  if ((options.height > 0) != (options.width > 0) || options.height < 0) {
    throw std::logic_error("write_dataset: height and width must both be 0 or both be above 0");
  }
  const std::vector<Sample> samples = dataset.samples();
  const FilePlan plan = plan_files(samples, options);
  PartialFolder partial(plain_folder(folder));

  std::set<std::filesystem::path> folders;
  for (const std::string& path : plan.paths) folders.insert((partial.path() / path).parent_path());
  for (const auto& [path, text] : plan.texts) folders.insert((partial.path() / path).parent_path());
  for (const auto& needed : folders) make_folder(needed);

  data::for_each_image(samples.size(), "draw", sink, [&](std::size_t i) {
    cv::Mat image = dataset.image(samples[i]);
    if (options.height > 0 && image.size() != cv::Size(options.width, options.height)) {
      cv::Mat resized;
      cv::resize(image, resized, {options.width, options.height}, 0, 0, cv::INTER_LINEAR);
      image = resized;
    }
    write_image(partial.path() / plan.paths[i], image);
  });
  for (const auto& [path, text] : plan.texts) write_text(partial.path() / path, text);
  partial.finish();
}

}  // namespace kindred::command
