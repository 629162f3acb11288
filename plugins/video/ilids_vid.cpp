#include "ilids_vid.h"

#include <cstddef>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/image/split_folders.h"
#include "kindred/text/mat_file.h"
#include "kindred/text/name_scanner.h"

namespace kindred::video {
namespace {

constexpr const char* cameras[] = {"cam1", "cam2"};

void add_folders(const std::filesystem::path& parent, std::set<std::string>& names) {
  std::error_code failure;
  for (std::filesystem::directory_iterator at(parent, failure), end; !failure && at != end;
       at.increment(failure)) {
    auto name = at->path().filename().string();
    if (!name.starts_with('.') && is_folder(at->path())) names.insert(std::move(name));
  }
  if (failure) throw DataError(parent, "cannot be listed: " + failure.message());
}

std::int64_t identity_of(const std::filesystem::path& folder) {
  const auto name = folder.filename().string();
  NameScanner scanner(name);
  const auto number = scanner.skip("person") ? scanner.number() : std::nullopt;
  if (number && scanner.rest().empty()) return *number;
  throw DataError(folder, "is not named personNNN, such as person001; rename or remove the folder");
}

}  // namespace

Schema<IlidsVid::Params> IlidsVid::schema() {
  Schema<Params> s("i-LIDS-VID: 300 people at an airport, one tracklet of each before each of two cameras.",
                   "Wang et al., Person Re-Identification by Video Ranking, ECCV 2014");
  s.add("root", &Params::root,
        "folder with 'sequences', or with 'i-LIDS-VID' and 'train-test people splits'; relative to the "
        "working "
        "directory")
      .required()
      .location();
  s.add("split", &Params::split,
        "which split of train_test_splits_ilidsvid.mat, from 1; figures are published as means of its ten. "
        "Without that file, each number is another half drawn by lot")
      .at_least(1);
  return s;
}

IlidsVid::IlidsVid(const Params& params, const Context& /*context*/) : params_(params) {}

std::filesystem::path IlidsVid::sequences() const {
  for (const auto* folder : {"sequences", "i-LIDS-VID/sequences"}) {
    if (is_folder(params_.root / folder / cameras[0]) && is_folder(params_.root / folder / cameras[1])) {
      return folder;
    }
  }
  return {};
}

std::filesystem::path IlidsVid::splits_file() const {
  const std::filesystem::path name = "train_test_splits_ilidsvid.mat";
  const std::filesystem::path folder = "train-test people splits";
  for (const auto& place : {params_.root / folder / name, params_.root / name,
                            params_.root / ".." / folder / name, params_.root / ".." / name}) {
    if (is_file(place)) return place;
  }
  return {};
}

std::vector<bool> IlidsVid::tested(std::size_t people) const {
  std::vector<bool> tested(people, false);
  const auto file = splits_file();
  if (file.empty()) {
    std::vector<std::size_t> order(people);
    std::iota(order.begin(), order.end(), std::size_t{0});
    RandomStream random(static_cast<std::uint64_t>(params_.split));
    random.shuffle(std::span(order));
    for (std::size_t i = 0; i < people / 2; ++i) tested[order[i]] = true;
    return tested;
  }
  const auto variables = read_mat_file(file);
  const auto found = variables.numbers.find("ls_set");
  if (found == variables.numbers.end()) {
    throw DataError(file, "has no variable 'ls_set' of whole numbers; download it again");
  }
  const auto& splits = found->second;
  if (splits.columns != people) {
    throw DataError(file, "is about " + std::to_string(splits.columns) + " people, but there are " +
                              std::to_string(people) + " in the data set; unpack it again");
  }
  const auto row = static_cast<std::size_t>(params_.split - 1);
  if (row >= splits.rows) {
    throw DataError(file, "has " + std::to_string(splits.rows) + " splits, and split " +
                              std::to_string(params_.split) + " is asked for; choose another with 'split'");
  }
  for (std::size_t i = 0; i < people / 2; ++i) {
    const auto place = splits.at(row, i);
    if (place < 1 || static_cast<std::size_t>(place) > people ||
        tested[static_cast<std::size_t>(place - 1)]) {
      throw DataError(file, "split " + std::to_string(params_.split) + " names person " +
                                std::to_string(place) + ", who is not one of the " + std::to_string(people) +
                                " or is named twice; download it again");
    }
    tested[static_cast<std::size_t>(place - 1)] = true;
  }
  return tested;
}

std::vector<Sample> IlidsVid::samples() const {
  const auto& root = params_.root;
  if (!is_folder(root)) throw DataError(root, "is not a folder; set root to the folder with 'sequences'");
  const auto folder = sequences();
  if (folder.empty()) {
    throw DataError(root,
                    "does not contain 'sequences/cam1' and 'sequences/cam2'; set root to the folder that "
                    "contains 'sequences' (i-LIDS-VID)");
  }
  std::set<std::string> names;
  for (const auto* camera : cameras) add_folders(root / folder / camera, names);
  const std::vector<std::string> people(names.begin(), names.end());
  const auto test = tested(people.size());
  std::vector<Sample> samples;
  for (const Split split : {Split::train, Split::query, Split::gallery}) {
    for (std::int64_t camera = 1; camera <= 2; ++camera) {
      if (split != Split::train && (split == Split::query) != (camera == 1)) continue;
      for (std::size_t i = 0; i < people.size(); ++i) {
        if (test[i] == (split == Split::train)) continue;
        const auto tracklet = std::string(cameras[camera - 1]) + '/' + people[i];
        const auto place = folder / tracklet;
        if (!is_folder(root / place)) continue;
        const auto frames = list_images(root / place, Depth::folder_alone);
        if (frames.empty()) {
          throw DataError(root / place, "contains no images: " + what_is_instead_of_images(root / place));
        }
        for (const auto& frame : frames) {
          Sample sample;
          sample.path = place.generic_string() + '/' + frame;
          sample.identity = identity_of(root / place);
          sample.camera = camera;
          sample.split = split;
          sample.tracklet = tracklet;
          samples.push_back(std::move(sample));
        }
      }
    }
  }
  if (samples.empty()) throw DataError(root / folder, "contains no people; unpack the data set again");
  return samples;
}

cv::Mat IlidsVid::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition IlidsVid::recognize() const {
  return sequences().empty() ? Recognition::no : Recognition::certain;
}

}  // namespace kindred::video
