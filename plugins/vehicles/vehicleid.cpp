#include "vehicleid.h"

#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/image/split_folders.h"
#include "kindred/text/image_list.h"

namespace kindred::vehicles {
namespace {

constexpr const char* train_list = "train_list.txt";

/// The images that are the gallery: one of each vehicle, whatever the order of the list.
std::set<std::string> draw_gallery(const std::vector<Sample>& samples, std::uint64_t seed) {
  std::map<std::int64_t, std::set<std::string>> vehicles;
  for (const auto& sample : samples) vehicles[sample.identity].insert(sample.path);
  std::set<std::string> drawn;
  for (const auto& [identity, paths] : vehicles) {
    RandomStream random(seed, {static_cast<std::uint64_t>(identity)});
    drawn.insert(*std::next(paths.begin(), random.integer(0, static_cast<std::int64_t>(paths.size()) - 1)));
  }
  return drawn;
}

/// The test lists that are there.
std::vector<std::string> test_lists(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code failure;
  for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure)) {
    auto name = at->path().filename().string();
    if (name.starts_with("test_list")) names.insert(std::move(name));
  }
  return {names.begin(), names.end()};
}

}  // namespace

Schema<VehicleId::Params> VehicleId::schema() {
  Schema<Params> s(
      "PKU VehicleID: vehicles without cameras, and galleries that are drawn at random.",
      "Liu et al., Deep Relative Distance Learning: Tell the Difference Between Similar Vehicles, "
      "CVPR 2016");
  s.add("root", &Params::root, "folder with image and train_test_split; relative to the working directory")
      .required()
      .location();
  s.add("images", &Params::images, "folder of the images, relative to root")
      .like(is_inner_path, "the name of a folder in root");
  s.add("lists", &Params::lists, "folder of the lists, relative to root")
      .like(is_inner_path, "the name of a folder in root");
  s.add("test_list", &Params::test_list,
        "list of the test images: test_list_800.txt (small), test_list_1600.txt (medium) or "
        "test_list_2400.txt (large)")
      .like(is_inner_path, "the name of a file in the folder of the lists");
  s.add("gallery_seed", &Params::gallery_seed,
        "draws the gallery, one image of each vehicle, and all others are queries; figures are published as "
        "means of ten draws; 0: every test image is a query and in the gallery, for "
        "evaluate.single_gallery_shot")
      .at_least(0);
  return s;
}

VehicleId::VehicleId(const Params& params, const Context&) : params_(params) {}

std::vector<Sample> VehicleId::listed(const std::string& list) const {
  const auto names = list_images(params_.root / params_.images, Depth::folder_alone);
  const std::unordered_set<std::string> present(names.begin(), names.end());
  const auto file = params_.root / params_.lists / list;
  std::vector<Sample> samples;
  for (const auto& line : read_numbered_list(file)) {
    const auto name = has_image_ending(line.name) ? line.name : line.name + ".jpg";
    if (!present.contains(name)) {
      throw DataError(file, line.line,
                      "image '" + name + "' is not in " + (params_.root / params_.images).string() +
                          "; unpack the data set again, or remove the line");
    }
    samples.push_back({params_.images + '/' + name, line.number, unknown_camera, "", Split::train});
  }
  return samples;
}

std::vector<Sample> VehicleId::samples() const {
  const auto& root = params_.root;
  const auto lists = root / params_.lists;
  if (!is_folder(root) || !is_folder(root / params_.images) || !is_folder(lists)) {
    throw DataError(
        root, std::string(is_folder(root) ? "does not contain both folders" : "is not a folder") +
                  (is_folder(root) ? " '" + params_.images + "' and '" + params_.lists + "'" : "") +
                  "; set root to the folder that contains '" + params_.images + "' and '" + params_.lists +
                  "' (VehicleID_V1.0)");
  }
  const bool train = is_file(lists / train_list);
  const bool test = is_file(lists / params_.test_list);
  if (!train && !test) {
    throw DataError(lists, std::string("contains neither '") + train_list + "' nor '" + params_.test_list +
                               "'; unpack the data set again, or name the test list with 'test_list'");
  }
  if (const auto others = test_lists(lists); !test && !others.empty()) {
    throw DataError(lists, "does not contain '" + params_.test_list + "', but " + quoted_list(others) +
                               "; choose one of them with 'test_list'");
  }
  std::vector<Sample> samples;
  if (train) samples = listed(train_list);
  if (!test) return samples;
  const auto images = listed(params_.test_list);
  const auto gallery = draw_gallery(images, static_cast<std::uint64_t>(params_.gallery_seed));
  const bool both = params_.gallery_seed == 0;
  for (const Split split : {Split::query, Split::gallery}) {
    for (auto sample : images) {
      if (!both && gallery.contains(sample.path) != (split == Split::gallery)) continue;
      sample.split = split;
      samples.push_back(std::move(sample));
    }
  }
  return samples;
}

cv::Mat VehicleId::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition VehicleId::recognize() const {
  const auto lists = params_.root / params_.lists;
  if (!is_folder(params_.root / params_.images)) return Recognition::no;
  const bool train = is_file(lists / train_list);
  const bool test = is_file(lists / params_.test_list);
  if (train && test) return Recognition::certain;
  return train || test ? Recognition::likely : Recognition::no;
}

}  // namespace kindred::vehicles
