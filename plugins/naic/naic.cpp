#include "naic.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/image/split_folders.h"
#include "kindred/text/name_numbers.h"
#include "kindred/text/text_file.h"

namespace kindred::naic {
namespace {

const std::array<std::string, 4> all_parts = {"a", "b", "A", "B"};

/// The training list; an empty path when there is none.
std::filesystem::path find_list(const std::filesystem::path& root) {
  for (const char* place : {"train/label/train_list.txt", "train/train_list.txt", "train_list.txt"}) {
    if (is_file(root / place)) return root / place;
  }
  return {};
}

/// The test parts of which both folders are there.
std::vector<std::string> find_parts(const std::filesystem::path& root) {
  std::vector<std::string> parts;
  for (const std::string& part : all_parts) {
    if (is_folder(root / ("query_" + part)) && is_folder(root / ("gallery_" + part))) parts.push_back(part);
  }
  return parts;
}

/// Throws when a part has lost one of its folders.
void check_halves(const std::filesystem::path& root) {
  for (const std::string& part : all_parts) {
    const std::string query = "query_" + part;
    const std::string gallery = "gallery_" + part;
    const bool has_query = is_folder(root / query);
    if (has_query == is_folder(root / gallery)) continue;
    throw DataError(root, "contains '" + (has_query ? query : gallery) + "', but not '" +
                              (has_query ? gallery : query) + "'; unpack the data again");
  }
}

/// The part to use: the one that is asked for, or the only one; "" when there is none and none is asked for.
std::string choose_part(const std::filesystem::path& root, const std::string& wanted) {
  const auto parts = find_parts(root);
  if (!wanted.empty()) {
    if (std::find(parts.begin(), parts.end(), wanted) != parts.end()) return wanted;
    throw DataError(root, "does not contain 'query_" + wanted + "' and 'gallery_" + wanted +
                              "'; parts found: " + quoted_list(parts));
  }
  if (parts.size() > 1) {
    throw DataError(root, "contains the test parts " + quoted_list(parts) +
                              "; choose one, such as part = \"" + parts.front() + "\"");
  }
  return parts.empty() ? "" : parts.front();
}

struct ListLine {
  std::string name;
  std::int64_t identity;
};

/// Reads `FOLDER/NAME ID`; the name may hold spaces.
ListLine parse_line(std::string_view text, const std::filesystem::path& list, int line) {
  constexpr std::string_view blank = " \t";
  const auto space = text.find_last_of(blank);
  const auto name_end = space == std::string_view::npos ? space : text.find_last_not_of(blank, space);
  if (name_end == std::string_view::npos) {
    throw DataError(list, line, "'" + std::string(text) + "' does not have the form train/NAME.png ID");
  }
  const std::string_view number = text.substr(space + 1);
  const auto identity = parse_whole_number(number);
  if (!identity || *identity < 0) {
    throw DataError(list, line,
                    "identity '" + std::string(number) + "' " +
                        (identity ? "is not a whole number from 0" : not_whole_text(number)));
  }
  std::string_view name = text.substr(0, name_end + 1);
  if (const auto slash = name.find_last_of('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  if (name.empty())
    throw DataError(list, line, "'" + std::string(text) + "' is the name of a folder, not of an image");
  return {std::string(name), *identity};
}

}  // namespace

Schema<Naic::Params> Naic::schema() {
  Schema<Params> s("Folders of the NAIC competition: a training list, and unlabeled queries and gallery.",
                   "NAIC 2019, person re-identification");
  s.add("root", &Params::root, "folder with train, query_X and gallery_X; relative to the working directory")
      .required()
      .location();
  s.add("part", &Params::part, "X of the test folders; empty: the only one found")
      .one_of({"", "a", "b", "A", "B"});
  s.add("corrections", &Params::corrections,
        "corrected identities of training images, by file name; the list of the competition has three known "
        "errors: { \"105180993.png\" = 5721, \"829283568.png\" = 3180, \"943445997.png\" = 3369 }")
      .at_least(0);
  return s;
}

Naic::Naic(const Params& params, const Context&) : params_(params) {}

std::vector<Sample> Naic::samples() const {
  const auto& root = params_.root;
  if (!is_folder(root))
    throw DataError(root, "is not a folder; set root to the folder with train, query_X and gallery_X");
  const auto list = find_list(root);
  if (list.empty() && is_folder(root / "train")) {
    throw DataError(
        root / "train",
        "has no training list; expected train/label/train_list.txt, train/train_list.txt or train_list.txt");
  }
  check_halves(root);
  const std::string part = choose_part(root, params_.part);
  if (list.empty() && part.empty()) {
    throw DataError(root,
                    "contains neither train/label/train_list.txt nor query_X and gallery_X (X = a, b, A or "
                    "B); set root to the folder that contains them");
  }
  if (list.empty() && !params_.corrections.empty()) {
    throw DataError(root, "has no training list, so 'corrections' has no effect; remove it");
  }
  std::vector<Sample> samples;
  if (!list.empty()) add_training(samples, list);
  if (!part.empty()) add_test(samples, part);
  return samples;
}

void Naic::add_training(std::vector<Sample>& samples, const std::filesystem::path& list) const {
  const std::string folder = is_folder(params_.root / "train/image") ? "train/image" : "train";
  const auto names = list_images(params_.root / folder, Depth::folder_alone);
  const std::unordered_set<std::string_view> present(names.begin(), names.end());

  std::istringstream in(read_text_file(list));
  std::unordered_map<std::string, int> lines;
  const std::size_t first = samples.size();
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    const auto end = text.find_last_not_of(" \t\r");
    if (end == std::string::npos) continue;
    text.resize(end + 1);
    const ListLine entry = parse_line(text, list, line);
    if (const auto [earlier, added] = lines.emplace(entry.name, line); !added) {
      throw DataError(
          list, line,
          "image '" + entry.name + "' is already listed in line " + std::to_string(earlier->second));
    }
    if (!present.contains(entry.name)) {
      throw DataError(list, line,
                      "image '" + entry.name + "' is not in " + (params_.root / folder).string() +
                          "; unpack the data again, or remove the line");
    }
    const auto correction = params_.corrections.find(entry.name);
    const bool corrected = correction != params_.corrections.end();
    samples.push_back({folder + '/' + entry.name, corrected ? correction->second : entry.identity,
                       unknown_camera, "", Split::train});
  }
  if (samples.size() == first) throw DataError(list, "is empty; it must list the training images");
  for (const auto& [name, identity] : params_.corrections) {
    if (!lines.contains(name))
      throw DataError(list, "does not list '" + name + "', which 'corrections' names");
  }
  std::sort(samples.begin() + static_cast<std::ptrdiff_t>(first), samples.end(),
            [](const Sample& a, const Sample& b) { return a.path < b.path; });
}

void Naic::add_test(std::vector<Sample>& samples, const std::string& part) const {
  for (const Split split : {Split::query, Split::gallery}) {
    const std::string folder = std::string(split_name(split)) + '_' + part;
    const auto names = list_images(params_.root / folder, Depth::folder_alone);
    if (names.empty()) {
      throw DataError(params_.root / folder,
                      "contains no images: " + what_is_instead_of_images(params_.root / folder));
    }
    for (const std::string& name : names) {
      samples.push_back({folder + '/' + name, unlabeled_identity, unknown_camera, "", split});
    }
  }
}

cv::Mat Naic::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition Naic::recognize() const {
  const bool list = !find_list(params_.root).empty();
  const bool test = !find_parts(params_.root).empty();
  if (list && test) return Recognition::certain;
  return list || test ? Recognition::likely : Recognition::no;
}

}  // namespace kindred::naic
