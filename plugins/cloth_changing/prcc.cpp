#include "prcc.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/image/split_folders.h"
#include "kindred/text/csv.h"
#include "kindred/text/name_numbers.h"

namespace kindred::cloth_changing {
namespace {

std::optional<char> camera_in(std::string_view name) {
  if (name.size() < 2 || name[0] < 'A' || name[0] > 'C' || name[1] != '_') return std::nullopt;
  return name[0];
}

Sample sample_of(std::string path, std::int64_t identity, char camera, Split split) {
  return {std::move(path), identity, camera - 'A' + 1, "", split, camera == 'C' ? 1 : 0};
}

}  // namespace

Schema<Prcc::Params> Prcc::schema() {
  Schema<Params> s("PRCC: people of three cameras who wear other clothes under the third.",
                   "Yang et al., Person Re-identification by Contour Sketch under Moderate Clothing Change, "
                   "TPAMI 2021");
  s.add("root", &Params::root, "folder with rgb, or rgb itself; relative to the working directory")
      .required()
      .location();
  s.add("use_validation", &Params::use_validation,
        "also train on the people of rgb/val, which most published figures do not");
  return s;
}

Prcc::Prcc(const Params& params, const Context&) : params_(params) {}

std::string Prcc::prefix() const {
  return is_folder(params_.root / "rgb") ? "rgb/" : "";
}

void Prcc::add_people(std::vector<Sample>& samples, const std::string& folder, Split split,
                      char camera) const {
  const auto path = prefix() + folder;
  const auto names = list_images(params_.root / path, Depth::all_below);
  if (names.empty()) throw DataError(params_.root / path, "contains no images; unpack the data set again");
  for (const auto& name : names) {
    const auto refuse = [&](const std::string& what) {
      return DataError(params_.root / path / name, what + "; rename or remove the file");
    };
    const auto slash = name.find('/');
    const auto identity = slash == std::string::npos ? std::nullopt : parse_integer(name.substr(0, slash));
    if (!identity || *identity < 0 || *identity > largest_whole_number)
      throw refuse("does not lie in a folder that is the number of a person");
    auto own_camera = camera;
    if (split == Split::train) {
      const auto known = camera_in(std::string_view(name).substr(name.find_last_of('/') + 1));
      if (!known)
        throw refuse("is not named A_..., B_... or C_... for its camera, such as A_cropped_rgb041.jpg");
      own_camera = *known;
    }
    samples.push_back(sample_of(path + '/' + name, *identity, own_camera, split));
  }
}

std::vector<Sample> Prcc::samples() const {
  const auto& root = params_.root;
  if (!is_folder(root)) throw DataError(root, "is not a folder; set root to the folder with 'rgb'");
  const auto inner = root / prefix();
  const auto has = [&](const std::string& folder) { return is_folder(inner / folder); };
  const bool gallery = has("test/A");
  const bool queries = has("test/B") || has("test/C");
  if (!has("train") && !gallery && !queries) {
    throw DataError(root,
                    "contains neither 'rgb/train' nor 'rgb/test/A'; set root to the folder that contains "
                    "'rgb'");
  }
  if (gallery != queries) {
    throw DataError(inner / "test", gallery
                                        ? "contains the gallery 'A', but no queries: neither 'B' nor 'C'; "
                                          "unpack the data set again"
                                        : "contains queries, but not the gallery 'A'; unpack the data set "
                                          "again");
  }
  if (params_.use_validation && !has("val")) {
    throw DataError(inner, "does not contain 'val'; unpack the data set again, or remove use_validation");
  }
  std::vector<Sample> samples;
  if (has("train")) add_people(samples, "train", Split::train, 'A');
  if (params_.use_validation) add_people(samples, "val", Split::train, 'A');
  if (has("test/B")) add_people(samples, "test/B", Split::query, 'B');
  if (has("test/C")) add_people(samples, "test/C", Split::query, 'C');
  if (gallery) add_people(samples, "test/A", Split::gallery, 'A');
  return samples;
}

cv::Mat Prcc::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition Prcc::recognize() const {
  const auto inner = params_.root / prefix();
  if (!is_folder(inner / "test/A") || !(is_folder(inner / "test/B") || is_folder(inner / "test/C"))) {
    return Recognition::no;
  }
  return is_folder(inner / "train") ? Recognition::certain : Recognition::likely;
}

}  // namespace kindred::cloth_changing
