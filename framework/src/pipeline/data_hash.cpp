#include "pipeline/data_hash.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/open_dataset.h"
#include "data/open_folder.h"
#include "file/sha256.h"
#include "recipe/affects.h"

namespace kindred::pipeline {
namespace {

namespace fs = std::filesystem;

std::string pixel_hash(const cv::Mat& image) {
  file::Sha256 hash;
  const int header[] = {image.rows, image.cols, image.type()};
  hash.add(header, sizeof header);
  for (int y = 0; y < image.rows; ++y) {
    hash.add(image.ptr(y), static_cast<std::size_t>(image.cols) * image.elemSize());
  }
  return hash.finish();
}

/// Where the images lie whose paths begin so.
struct Place {
  std::string beginning;
  bool is_nowhere;                 ///< the data set makes them of its parameters
  std::optional<fs::path> folder;  ///< absent: their paths do not say which files they are
};

Place place_of(std::string beginning, const recipe::Choice<Dataset>& dataset) {
  const auto locations = recipe::locations_of(dataset);
  Place place{std::move(beginning), locations.empty(), std::nullopt};
  if (locations.size() == 1) place.folder = data::folder_of_paths(locations.front());
  return place;
}

/// Those of the distractors and pseudo labels of a plan, and then of its data sets, whose prefix may be "".
std::vector<Place> places_of(const recipe::DataPlan& plan) {
  std::vector<Place> places;
  const auto& distractors = plan.folds.distractors;
  for (const auto& choice : plan.datasets) {
    if (distractors.empty()) break;
    places.push_back({choice.prefix + distractors + "/", false, data::folder_of_paths(distractors)});
  }
  for (std::size_t i = 0; i < plan.pseudo_labels.size(); ++i) {
    const auto& own = plan.pseudo_labels[i].dataset;
    if (own) places.push_back(place_of("pseudo" + std::to_string(i + 1) + "/", *own));
  }
  for (const auto& choice : plan.datasets) places.push_back(place_of(choice.prefix, choice));
  return places;
}

void add(const stage::StageData& data, FileHashes& files, file::Sha256& hash) {
  const auto dataset = data::open_training_dataset(data.plan);
  const auto places = places_of(data.plan);
  for (const auto& sample : dataset->samples()) {
    if (std::find(data.splits.begin(), data.splits.end(), sample.split) == data.splits.end()) continue;
    std::string line = sample.path + '\0' + std::to_string(sample.identity) + '\0' +
                       std::to_string(sample.camera) + '\0' + sample.domain + '\0' + split_name(sample.split);
    if (sample.clothes != unknown_clothes) line += '\0' + ("clothes " + std::to_string(sample.clothes));
    if (sample.view != unknown_view) line += '\0' + ("view " + std::to_string(sample.view));
    if (!sample.tracklet.empty()) line += '\0' + ("tracklet " + sample.tracklet);
    const auto place = std::find_if(places.begin(), places.end(), [&](const Place& candidate) {
      return sample.path.starts_with(candidate.beginning);
    });
    const bool is_known = place != places.end();
    if (data.pixels && !(is_known && place->is_nowhere)) {
      const auto file = is_known && place->folder
                            ? *place->folder / sample.path.substr(place->beginning.size())
                            : fs::path();
      line += '\0' + (fs::is_regular_file(file) ? files.of(file) : pixel_hash(dataset->image(sample)));
    }
    line += '\n';
    hash.add(line.data(), line.size());
  }
}

}  // namespace

std::string text_hash(const std::string& text) {
  file::Sha256 hash;
  hash.add(text.data(), text.size());
  return hash.finish();
}

std::string data_hash(const std::vector<stage::StageData>& data, FileHashes& files) {
  file::Sha256 hash;
  for (const auto& images : data) add(images, files, hash);
  return hash.finish();
}

}  // namespace kindred::pipeline
