#include "msmt17.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/image/split_folders.h"
#include "kindred/text/image_list.h"
#include "kindred/text/name_numbers.h"
#include "kindred/text/name_scanner.h"

namespace kindred::msmt17 {
namespace {

/// The folder that a parameter names, or else the one of the two versions that is there; "" when none is.
std::string find_folder(const std::filesystem::path& root, const std::string& wanted,
                        const std::vector<std::string>& known) {
  if (!wanted.empty()) return is_folder(root / wanted) ? wanted : "";
  for (const auto& folder : known) {
    if (is_folder(root / folder)) return folder;
  }
  return "";
}

const std::vector<std::string> train_folders{"train", "mask_train_v2"};
const std::vector<std::string> test_folders{"test", "mask_test_v2"};

/// A folder of images and what is in it.
class Images {
 public:
  Images(const std::filesystem::path& root, const std::string& parameter, const std::string& wanted,
         const std::vector<std::string>& known)
      : root_(root), folder_(find_folder(root, wanted, known)) {
    if (folder_.empty()) {
      throw DataError(root, wanted.empty() ? "contains neither of the folders " + quoted_list(known) +
                                                 ", which hold the images of the lists; unpack the data set "
                                                 "again, or name the folder with '" +
                                                 parameter + "'"
                                           : "does not contain the folder '" + wanted + "' that '" +
                                                 parameter + "' names; correct it, or leave it out");
    }
    const auto names = list_images(root / folder_, Depth::all_below);
    present_.insert(names.begin(), names.end());
  }

  void add(std::vector<Sample>& samples, const std::string& list, Split split) const {
    const auto file = root_ / list;
    for (const auto& line : read_numbered_list(file)) {
      if (!present_.contains(line.name)) {
        throw DataError(file, line.line,
                        "image '" + line.name + "' is not in " + (root_ / folder_).string() +
                            "; unpack the data set again, or remove the line");
      }
      const auto slash = line.name.find_last_of('/');
      const auto name = slash == std::string::npos ? line.name : line.name.substr(slash + 1);
      const auto camera = parse_msmt_camera(name);
      if (!camera) {
        throw DataError(file, line.line,
                        "image '" + line.name +
                            "' is not named PPPP_NNN_CC_... (person, image, camera), such as "
                            "0000_000_01_0303morning_0008_0_ex.jpg; restore its name");
      }
      samples.push_back({folder_ + '/' + line.name, line.number, *camera, "", split});
    }
  }

 private:
  std::filesystem::path root_;
  std::string folder_;
  std::unordered_set<std::string> present_;
};

bool has_train(const std::filesystem::path& root) {
  return is_file(root / "list_train.txt");
}

bool has_test(const std::filesystem::path& root) {
  return is_file(root / "list_query.txt") && is_file(root / "list_gallery.txt");
}

}  // namespace

std::optional<std::int64_t> parse_msmt_camera(std::string_view name) {
  NameScanner scanner(name);
  for (int part = 0; part < 2; ++part) {
    if (!scanner.number() || !scanner.skip("_")) return std::nullopt;
  }
  const auto camera = scanner.number();
  return camera && scanner.skip("_") ? camera : std::nullopt;
}

Schema<Msmt17::Params> Msmt17::schema() {
  Schema<Params> s(
      "MSMT17 as it is distributed: list_*.txt and folders of images, version 1 or 2.",
      "Wei et al., Person Transfer GAN to Bridge Domain Gap for Person Re-Identification, CVPR 2018");
  s.add("root", &Params::root,
        "folder with list_train.txt, list_query.txt and list_gallery.txt; relative to "
        "the working directory")
      .required()
      .location();
  s.add("train", &Params::train,
        "folder of the training images, relative to root; empty: 'train' or 'mask_train_v2'")
      .like([](const std::string& name) { return name.empty() || is_inner_path(name); },
            "the name of a folder in root");
  s.add("test", &Params::test, "folder of the test images, relative to root; empty: 'test' or 'mask_test_v2'")
      .like([](const std::string& name) { return name.empty() || is_inner_path(name); },
            "the name of a folder in root");
  s.add("use_validation", &Params::use_validation,
        "also train on the images of list_val.txt, as TransReID and CLIP-ReID do, but not torchreid and "
        "FastReID");
  return s;
}

Msmt17::Msmt17(const Params& params, const Context&) : params_(params) {}

std::vector<Sample> Msmt17::samples() const {
  const auto& root = params_.root;
  const std::string lists = "'list_train.txt', 'list_query.txt' and 'list_gallery.txt'";
  if (!is_folder(root)) throw DataError(root, "is not a folder; set root to the folder with " + lists);
  const bool query = is_file(root / "list_query.txt");
  const bool gallery = is_file(root / "list_gallery.txt");
  if (!has_train(root) && !query && !gallery) {
    throw DataError(root, "contains none of the lists " + lists +
                              "; set root to the folder that contains them (MSMT17_V1 or MSMT17_V2)");
  }
  if (query != gallery) {
    throw DataError(root, std::string("contains '") + (query ? "list_query.txt" : "list_gallery.txt") +
                              "', but not '" + (query ? "list_gallery.txt" : "list_query.txt") +
                              "'; unpack the data set again");
  }
  if (params_.use_validation && !has_train(root)) {
    throw DataError(root, "has no 'list_train.txt', so use_validation has no effect; remove it");
  }
  std::vector<Sample> samples;
  if (has_train(root)) {
    const Images images(root, "train", params_.train, train_folders);
    images.add(samples, "list_train.txt", Split::train);
    if (params_.use_validation) images.add(samples, "list_val.txt", Split::train);
  }
  if (query) {
    std::int64_t first_of_test = 0;
    for (const auto& sample : samples) first_of_test = std::max(first_of_test, sample.identity + 1);
    const auto trained = samples.size();
    const Images images(root, "test", params_.test, test_folders);
    images.add(samples, "list_query.txt", Split::query);
    images.add(samples, "list_gallery.txt", Split::gallery);
    // The lists number the people of training and of testing from 0 each.
    for (auto i = trained; i < samples.size(); ++i) {
      if (samples[i].identity > largest_whole_number - first_of_test) {
        throw DataError(root / "list_train.txt",
                        "numbers people up to " + std::to_string(first_of_test - 1) +
                            ", so high that those of testing, which follow, are beyond " +
                            std::to_string(largest_whole_number) + "; number them from 0");
      }
      samples[i].identity += first_of_test;
    }
  }
  return samples;
}

cv::Mat Msmt17::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition Msmt17::recognize() const {
  const auto& root = params_.root;
  const bool train = has_train(root) && !find_folder(root, params_.train, train_folders).empty();
  const bool test = has_test(root) && !find_folder(root, params_.test, test_folders).empty();
  return train || test ? Recognition::certain : Recognition::no;
}

}  // namespace kindred::msmt17
