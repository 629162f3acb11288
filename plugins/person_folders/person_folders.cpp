#include "person_folders.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "camera_pattern.h"
#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/image/split_folders.h"
#include "kindred/text/text_file.h"
#include "query_choice.h"

namespace kindred::person_folders {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t people_stream = 1;
constexpr std::size_t looked_at = 8;  // folders, to recognize the layout

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// The names of the folders in a folder that are not hidden, sorted; none when it cannot be listed.
std::vector<std::string> folders_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  fs::directory_iterator at(folder, failure);
  for (const fs::directory_iterator end; !failure && at != end; at.increment(failure)) {
    std::error_code missing;
    auto name = at->path().filename().string();
    if (!name.starts_with('.') && at->is_directory(missing)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Whether a folder is called as people are in data sets: by a number, after a word or without.
bool is_called_as_people_are(const std::string& name) {
  constexpr std::array<std::string_view, 7> words = {"",         "person", "people", "subject",
                                                     "identity", "id",     "pid"};
  const auto digits = name.find_first_of("0123456789");
  if (digits == std::string::npos || name.find_first_not_of("0123456789", digits) != std::string::npos) {
    return name == "-1";
  }
  auto word = lower(name.substr(0, digits));
  while (word.ends_with('_') || word.ends_with('-')) word.pop_back();
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Whether a folder holds images, or nothing but folders of cameras that do.
bool holds_a_person(const fs::path& folder) {
  if (has_images(folder, Depth::folder_alone)) return true;
  static const CameraPattern cameras(CameraPattern::common);
  const auto names = folders_in(folder);
  return !names.empty() && std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return cameras.find(name) && has_images(folder / name, Depth::folder_alone);
  });
}

/// Whether the first folders in a folder hold the images of a person each, and the folder itself none.
bool holds_people(const fs::path& folder) {
  auto names = folders_in(folder);
  if (names.empty() || has_images(folder, Depth::folder_alone)) return false;
  names.resize(std::min(names.size(), looked_at));
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return holds_a_person(folder / name); });
}

/// What follows the person's folder in the path of a sample.
std::string below_person(const Sample& sample, std::size_t folders_before) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < folders_before; ++i) at = sample.path.find('/', at) + 1;
  return sample.path.substr(at);
}

}  // namespace

Schema<PersonFolders::Params> PersonFolders::schema() {
  Schema<Params> s(
      "One folder of images for each person: in train, query and gallery, in train and test, or alone.");
  s.add(
       "root", &Params::root,
       "folder with the folders of the parts, or with those of the people; relative to the working directory")
      .required()
      .location();
  s.add("train", &Params::train, "name of the folder of people to train on");
  s.add("query", &Params::query, "name of the folder of queries, by person");
  s.add("gallery", &Params::gallery, "name of the folder of gallery images, by person");
  s.add("test", &Params::test,
        "name of the folder of people to test on, in place of query and gallery, which are chosen from it");
  s.add("camera", &Params::camera,
        "regular expression whose first group is the camera in a file's name, or in the folders between the "
        "person's and the file, such as 'cam([0-9]+)_'; 'auto': c1, cam2, camera_3, if all images have one; "
        "'': cameras are unknown")
      .like(
          [](const std::string& text) {
            return text.empty() || text == "auto" || CameraPattern::is_valid(text);
          },
          "'auto', '' or a regular expression with a group in parentheses");
  s.add("test_share", &Params::test_share,
        "share of the people of a single tree to test on; the others are trained on")
      .range(0, 1);
  s.add("seed", &Params::seed, "seed of the choice of people to test on and of queries").at_least(0);
  s.rule([](const Params& params) -> std::string {
    std::set<std::string> names;
    for (const auto* name : {&params.train, &params.query, &params.gallery, &params.test}) {
      if (name->empty() || name->find('/') != std::string::npos) {
        return "'" + *name + "' is not the name of a folder in root";
      }
      if (!names.insert(lower(*name)).second) return "two parts have the folder '" + *name + "'";
    }
    return "";
  });
  return s;
}

PersonFolders::PersonFolders(const Params& params, const Context&) : params_(params) {}

PersonFolders::Parts PersonFolders::parts() const {
  Parts parts;
  for (const auto& name : folders_in(params_.root)) {
    for (const auto& [part, wanted] : {std::pair{&parts.train, &params_.train},
                                       {&parts.query, &params_.query},
                                       {&parts.gallery, &params_.gallery},
                                       {&parts.test, &params_.test}}) {
      if (name == *wanted || (part->empty() && lower(name) == lower(*wanted))) *part = name;
    }
  }
  return parts;
}

void PersonFolders::check(const Parts& parts) const {
  const auto& root = params_.root;
  if (parts.query.empty() != parts.gallery.empty()) {
    const bool query = parts.gallery.empty();
    throw DataError(root, "contains '" + (query ? parts.query : parts.gallery) + "', but not '" +
                              (query ? params_.gallery : params_.query) +
                              "'; add the folder, name it with the parameter '" +
                              (query ? "gallery" : "query") + "', or call the one that is there '" +
                              params_.test + "' to have queries chosen from it");
  }
  if (!parts.test.empty() && !parts.query.empty()) {
    throw DataError(root, "contains '" + parts.test + "' as well as '" + parts.query + "' and '" +
                              parts.gallery + "'; keep either, or name another folder with 'test'");
  }
  for (const auto& name : folders_in(root)) {
    const std::array<std::string_view, 4> known = {parts.train, parts.query, parts.gallery, parts.test};
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (!has_images(root / name, Depth::all_below)) continue;
    throw DataError(root / name,
                    "has images and stands beside the parts of the data set, but is none of them "
                    "('" +
                        params_.train + "', '" + params_.query + "', '" + params_.gallery + "', '" +
                        params_.test + "'); move it, or give its name to the parameter of a part");
  }
}

void PersonFolders::add_people(const std::string& part, Split split, NameNumbers& names,
                               std::vector<Sample>& samples) const {
  const auto folder = part.empty() ? params_.root : params_.root / part;
  const auto images = list_images(folder, Depth::all_below);
  if (images.empty()) {
    throw DataError(folder, "contains no images: " + what_is_instead_of_images(folder));
  }
  std::map<std::string, std::int64_t> identities;
  std::map<std::int64_t, std::string> people;
  for (const auto& image : images) {
    const auto slash = image.find('/');
    if (slash == std::string::npos) {
      throw DataError(folder / image,
                      "lies in no person's folder; each image belongs into a folder that is called as the "
                      "person is, such as " +
                          (folder / "0001" / image).string());
    }
    const auto person = image.substr(0, slash);
    auto known = identities.find(person);
    if (known == identities.end()) {
      const auto number = names.of(person);
      if (!number.problem.empty()) {
        throw DataError(folder / person, "the name '" + person + "' " + number.problem);
      }
      if (number.value < junk_identity) {
        throw DataError(folder / person, "people have numbers from 0, names, or -1 for junk");
      }
      if (const auto [other, is_new] = people.emplace(number.value, person); !is_new) {
        throw DataError(folder / person, "is the person of the folder '" + other->second +
                                             "', too; join the folders, or name people in one way");
      }
      known = identities.emplace(person, number.value).first;
    }
    samples.push_back({part.empty() ? image : part + '/' + image, known->second, unknown_camera, "", split});
  }
}

void PersonFolders::give_cameras(std::vector<Sample>& samples) const {
  const bool automatic = params_.camera == "auto";
  const bool wanted = !params_.camera.empty();
  const std::size_t before = parts().any() ? 2 : 1;
  const CameraPattern pattern(automatic || !wanted ? CameraPattern::common : params_.camera);
  NameNumbers names;
  std::vector<std::int64_t> cameras;
  for (const auto& sample : samples) {
    const auto rest = below_person(sample, before);
    const auto camera = wanted ? pattern.find(rest) : std::nullopt;
    if (!camera) {
      if (rest.find('/') != std::string::npos) {
        throw DataError(params_.root / sample.path,
                        "lies deeper than in a person's folder, in folders that name no camera; move the "
                        "images, set root to the folder of the people's folders, or give 'camera' an "
                        "expression for these folders");
      }
      if (wanted && !automatic) {
        throw DataError(params_.root / sample.path, "names no camera: camera = '" + params_.camera +
                                                        "' is found nowhere in '" + rest + "'");
      }
      continue;
    }
    const auto number = names.of(*camera);
    if (!number.problem.empty() || number.value < 0) {
      throw DataError(
          params_.root / sample.path,
          "its camera '" + *camera + "' " +
              (number.problem.empty() ? "is below 0; allowed are numbers from 0 and names" : number.problem));
    }
    cameras.push_back(number.value);
  }
  if (cameras.size() != samples.size()) return;
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].camera = cameras[i];
}

void PersonFolders::split_people(std::vector<Sample>& samples) const {
  std::set<std::int64_t> people;
  for (const auto& sample : samples) {
    if (sample.identity >= 0) people.insert(sample.identity);
  }
  std::vector<std::int64_t> order(people.begin(), people.end());
  RandomStream random(static_cast<std::uint64_t>(params_.seed), {people_stream});
  random.shuffle(std::span(order));
  const auto all = static_cast<std::int64_t>(order.size());
  auto tested = static_cast<std::int64_t>(std::llround(params_.test_share * static_cast<double>(all)));
  const bool both = params_.test_share > 0 && params_.test_share < 1 && all > 1;
  if (both) tested = std::clamp<std::int64_t>(tested, 1, all - 1);
  const std::set<std::int64_t> test(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(tested));
  for (auto& sample : samples) {
    const bool junk = sample.identity == junk_identity && tested > 0;
    sample.split = junk || test.contains(sample.identity) ? Split::gallery : Split::train;
  }
}

std::vector<Sample> PersonFolders::samples() const {
  if (!is_folder(params_.root)) {
    throw DataError(params_.root, "is not a folder; set root to the folder with one folder for each person");
  }
  const auto found = parts();
  std::vector<Sample> samples;
  NameNumbers names;
  bool chosen = true;
  if (found.any()) {
    check(found);
    if (!found.train.empty()) add_people(found.train, Split::train, names, samples);
    if (!found.query.empty()) add_people(found.query, Split::query, names, samples);
    if (!found.gallery.empty()) add_people(found.gallery, Split::gallery, names, samples);
    if (!found.test.empty()) add_people(found.test, Split::gallery, names, samples);
    chosen = found.test.empty();
    give_cameras(samples);
  } else {
    add_people("", Split::train, names, samples);
    give_cameras(samples);
    split_people(samples);
    chosen = false;
  }
  if (!chosen) {
    std::vector<Sample*> test;
    for (auto& sample : samples) {
      if (sample.split != Split::train) test.push_back(&sample);
    }
    choose_queries(test, static_cast<std::uint64_t>(params_.seed));
  }
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
    return std::pair(a.split, std::string_view(a.path)) < std::pair(b.split, std::string_view(b.path));
  });
  return samples;
}

cv::Mat PersonFolders::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition PersonFolders::recognize() const {
  const auto found = parts();
  if (found.any()) {
    if (found.query.empty() != found.gallery.empty()) return Recognition::no;
    for (const auto* part : {&found.train, &found.query, &found.gallery, &found.test}) {
      if (!part->empty() && !holds_people(params_.root / *part)) return Recognition::no;
    }
    return Recognition::likely;
  }
  const auto names = folders_in(params_.root);
  const bool people = names.size() > 1 && std::all_of(names.begin(), names.end(), is_called_as_people_are);
  return people && holds_people(params_.root) ? Recognition::likely : Recognition::no;
}

}  // namespace kindred::person_folders
