#include "cuhk03.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/image/split_folders.h"
#include "kindred/text/mat_file.h"
#include "kindred/text/name_numbers.h"
#include "kindred/text/name_scanner.h"
#include "kindred/text/text_file.h"

namespace kindred::cuhk03 {
namespace {

const SplitFolders split_folders{"bounding_box_train", "query", "bounding_box_test"};

struct Part {
  const char* json;  ///< key of a split in splits_*.json
  const char* mat;   ///< variable of a configuration
  Split split;
};
constexpr Part parts[] = {{"train", "train_idx", Split::train},
                          {"query", "query_idx", Split::query},
                          {"gallery", "gallery_idx", Split::gallery}};

/// What follows the last separator, of either system: the lists hold paths of the machine that wrote them.
std::string file_name(const std::string& path) {
  const auto slash = path.find_last_of("/\\");
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// Identity and camera in 0003_c1_21.png.
std::optional<std::pair<std::int64_t, std::int64_t>> parse_folder_name(std::string_view name) {
  NameScanner scanner(name);
  const auto identity = scanner.number();
  if (!identity || !scanner.skip("_c")) return std::nullopt;
  const auto camera = scanner.number();
  if (!camera || !scanner.skip("_")) return std::nullopt;
  return std::pair(*identity, *camera);
}

/// @param samples those of training first
void require_listed_once(const std::filesystem::path& list, const std::vector<Sample>& samples) {
  std::set<std::pair<Split, std::string_view>> seen;
  for (const auto& sample : samples) {
    const bool trained = sample.split != Split::train && seen.contains({Split::train, sample.path});
    if (!trained && seen.emplace(sample.split, sample.path).second) continue;
    throw DataError(list, "lists '" + file_name(sample.path) + "' " +
                              (trained ? "for training and for testing"
                                       : std::string("twice for '") + split_name(sample.split) + "'") +
                              "; download it again");
  }
}

template <class T>
const T& required(const std::filesystem::path& file, const std::map<std::string, T>& variables,
                  const std::string& name) {
  const auto at = variables.find(name);
  if (at != variables.end()) return at->second;
  throw DataError(file, "has no variable '" + name +
                            "', so it is not the configuration of the new protocol; download it again");
}

}  // namespace

std::optional<std::int64_t> parse_cuhk03_camera(std::string_view name) {
  NameScanner scanner(name);
  for (int part = 0; part < 2; ++part) {
    if (!scanner.number() || !scanner.skip("_")) return std::nullopt;
  }
  const auto camera = scanner.number();
  return camera && scanner.skip("_") && scanner.number() ? camera : std::nullopt;
}

Schema<Cuhk03::Params> Cuhk03::schema() {
  Schema<Params> s(
      "CUHK03 with detected or labeled boxes, in the new protocol or one of the 20 classic splits.",
      "Li et al., DeepReID: Deep Filter Pairing Neural Network for Person Re-Identification, CVPR "
      "2014; new protocol: Zhong et al., Re-ranking Person Re-identification with k-reciprocal "
      "Encoding, CVPR 2017");
  s.add("root", &Params::root,
        "folder with 'detected' and 'labeled', or with images_detected, images_labeled and the lists of the "
        "protocols; relative to the working directory")
      .required()
      .location();
  s.add("images", &Params::images, "boxes that a detector found, or that people drew")
      .one_of({"detected", "labeled"});
  s.add("protocol", &Params::protocol,
        "'new': 767 people for training, 700 for testing; 'classic': 1,367 and 100, see "
        "evaluate.single_gallery_shot",
        {{"new", Protocol::new_767}, {"classic", Protocol::classic}});
  s.add("split", &Params::split, "which split of the classic protocol, from 1").at_least(1).at_most(20);
  s.rule([](const Params& params) -> std::string {
    const bool useless = params.protocol == Protocol::new_767 && params.split != 1;
    return useless ? "split has an effect only with protocol = \"classic\"; remove it" : "";
  });
  return s;
}

Cuhk03::Cuhk03(const Params& params, const Context&) : params_(params) {}

std::filesystem::path Cuhk03::json_file() const {
  const std::string protocol = params_.protocol == Protocol::classic ? "classic" : "new";
  return params_.root / ("splits_" + protocol + "_" + params_.images + ".json");
}

std::filesystem::path Cuhk03::mat_file() const {
  return params_.root / ("cuhk03_new_protocol_config_" + params_.images + ".mat");
}

std::vector<Sample> Cuhk03::samples() const {
  const auto& root = params_.root;
  const auto& images = params_.images;
  if (!is_folder(root)) throw DataError(root, "is not a folder; set root to the folder of CUHK03");
  const bool classic = params_.protocol == Protocol::classic;
  const bool extracted = is_folder(root / ("images_" + images));
  if (extracted && is_file(json_file())) return json_samples();
  if (extracted && !classic && is_file(mat_file())) return mat_samples();
  const auto folders = root / images;
  if (!classic && (split_folders.has_train(folders) || split_folders.has_test(folders))) {
    return folder_samples();
  }
  if (extracted) {
    throw DataError(root, "contains 'images_" + images + "', but not '" + json_file().filename().string() +
                              (classic ? "'" : "' or '" + mat_file().filename().string() + "'") +
                              ", which say" + (classic ? "s" : "") +
                              " which images are queries; put the file there");
  }
  if (is_file(root / "cuhk-03.mat") || is_file(root / "cuhk03_release" / "cuhk-03.mat")) {
    throw DataError(
        root, "holds the images inside of cuhk-03.mat, which is not read; extract them to 'images_" + images +
                  "', as PAIR_PERSON_VIEW_IMAGE.png (1_001_1_01.png), or take CUHK03-NP, "
                  "which has folders of images");
  }
  throw DataError(
      root, classic
                ? "does not contain 'images_" + images + "' and '" + json_file().filename().string() +
                      "', which the classic protocol needs; set root to the folder with both"
                : "contains neither '" + images + "/bounding_box_train' nor 'images_" + images +
                      "'; set root to the folder that contains '" + images + "' or 'images_" + images + "'");
}

std::vector<Sample> Cuhk03::folder_samples() const {
  std::vector<Sample> samples;
  for (auto& image : split_folders.images(params_.root / params_.images)) {
    auto path = params_.images + '/' + image.path;
    const auto parsed = parse_folder_name(image.name);
    if (!parsed) {
      throw DataError(params_.root / path,
                      "is not named IIII_cC_... (identity, camera), such as 0003_c1_21.png; rename or remove "
                      "the file");
    }
    samples.push_back({std::move(path), parsed->first, parsed->second, "", image.split});
  }
  return samples;
}

std::unordered_set<std::string> Cuhk03::images_present() const {
  const auto names = list_images(params_.root / ("images_" + params_.images), Depth::folder_alone);
  return {names.begin(), names.end()};
}

Sample Cuhk03::sample_of(const std::filesystem::path& list, const std::string& name, std::int64_t identity,
                         Split split) const {
  const auto camera = parse_cuhk03_camera(name);
  if (!camera || identity < 0 || identity > largest_whole_number) {
    throw DataError(list, "lists '" + name + "' of identity " + std::to_string(identity) +
                              "; expected a name like 1_001_1_01.png (pair of cameras, person, view, image) "
                              "and an identity from 0 to " +
                              std::to_string(largest_whole_number));
  }
  return {"images_" + params_.images + '/' + name, identity, *camera, "", split};
}

std::vector<Sample> Cuhk03::json_samples() const {
  const auto file = json_file();
  const auto json = nlohmann::json::parse(read_text_file(file), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) throw DataError(file, "is not valid JSON: it is damaged or incomplete");
  const auto wrong = [&](const std::string& what) {
    return DataError(file, what +
                               "; expected a list of splits, each with lists 'train', 'query' and 'gallery' "
                               "of [path, identity, camera]");
  };
  if (!json.is_array()) throw wrong("is not a list");
  if (static_cast<std::size_t>(params_.split) > json.size()) {
    throw DataError(file, "has " + std::to_string(json.size()) + " splits, and split " +
                              std::to_string(params_.split) + " is asked for; choose another with 'split'");
  }
  const auto& split = json[static_cast<std::size_t>(params_.split - 1)];
  const auto present = images_present();
  std::vector<Sample> samples;
  for (const auto& part : parts) {
    if (!split.is_object() || !split.contains(part.json) || !split[part.json].is_array()) {
      throw wrong("split " + std::to_string(params_.split) + " has no list '" + part.json + "'");
    }
    for (const auto& entry : split[part.json]) {
      if (!entry.is_array() || entry.size() < 2 || !entry[0].is_string() || !entry[1].is_number_integer()) {
        throw wrong(std::string("has another entry in '") + part.json + "'");
      }
      const auto name = file_name(entry[0].get<std::string>());
      if (!present.contains(name)) {
        throw DataError(file, "lists '" + name + "', which is not in 'images_" + params_.images +
                                  "'; extract the images again");
      }
      samples.push_back(sample_of(file, name, entry[1].get<std::int64_t>(), part.split));
    }
  }
  require_listed_once(file, samples);
  std::int64_t first_of_test = 0;
  for (const auto& sample : samples) {
    if (sample.split == Split::train) first_of_test = std::max(first_of_test, sample.identity + 1);
  }
  // The files number the people of training from 0, and those of testing by themselves.
  for (auto& sample : samples) {
    if (sample.split == Split::train) continue;
    if (sample.identity > largest_whole_number - first_of_test) {
      throw DataError(file, "numbers people up to " + std::to_string(first_of_test - 1) +
                                " in 'train', so high that those of 'query' and 'gallery', which follow, are "
                                "beyond " +
                                std::to_string(largest_whole_number) + "; number them from 0");
    }
    sample.identity += first_of_test;
  }
  return samples;
}

std::vector<Sample> Cuhk03::mat_samples() const {
  const auto file = mat_file();
  const auto variables = read_mat_file(file);
  const auto& names = required(file, variables.texts, "filelist");
  const auto& labels = required(file, variables.numbers, "labels").values;
  if (labels.size() != names.size()) {
    throw DataError(file, "has " + std::to_string(names.size()) + " images in 'filelist' and " +
                              std::to_string(labels.size()) + " 'labels'; download it again");
  }
  const auto present = images_present();
  std::vector<Sample> samples;
  for (const auto& part : parts) {
    for (const auto index : required(file, variables.numbers, part.mat).values) {
      if (index < 1 || static_cast<std::size_t>(index) > names.size()) {
        throw DataError(file, std::string("'") + part.mat + "' names image " + std::to_string(index) +
                                  " of " + std::to_string(names.size()) + "; download it again");
      }
      const auto i = static_cast<std::size_t>(index - 1);
      if (!present.contains(names[i])) {
        throw DataError(file, "lists '" + names[i] + "', which is not in 'images_" + params_.images +
                                  "'; extract the images again");
      }
      samples.push_back(sample_of(file, names[i], labels[i], part.split));
    }
  }
  require_listed_once(file, samples);
  return samples;
}

cv::Mat Cuhk03::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition Cuhk03::recognize() const {
  const auto& root = params_.root;
  if (is_folder(root / ("images_" + params_.images)) && (is_file(json_file()) || is_file(mat_file()))) {
    return Recognition::certain;
  }
  const auto folders = root / params_.images;
  return split_folders.has_train(folders) && split_folders.has_test(folders) ? Recognition::certain
                                                                             : Recognition::no;
}

}  // namespace kindred::cuhk03
