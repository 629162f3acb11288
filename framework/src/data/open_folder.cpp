#include "data/open_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "data/recognition.h"
#include "kindred/core/error.h"
#include "kindred/core/utf8.h"
#include "kindred/image/file_content.h"
#include "kindred/image/image_files.h"
#include "kindred/text/text_file.h"

namespace kindred::data {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_of(const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const auto& folder : folders) names.push_back(escaped(folder.filename().string()));
  return names;
}

/// Whether a word of the name says that the folder is a part of a split data set: "query_a", "bbox_train".
bool names_a_split(const std::string& name) {
  constexpr std::array<std::string_view, 4> splits = {"train", "query", "gallery", "test"};
  std::string word;
  for (const char c : name + ' ') {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    if (std::find(splits.begin(), splits.end(), word) != splits.end()) return true;
    word.clear();
  }
  return false;
}

/// What the folders of an unknown layout hold: "\n  train: 750 folders, the first '0001', with images", ...
std::string contents_of(const std::vector<fs::path>& folders) {
  constexpr std::size_t shown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, folders.size()); ++i) {
    const auto& folder = folders[i];
    const auto inner = folders_in(folder);
    text += "\n  " + escaped(folder.filename().string()) + ": ";
    if (has_images(folder, Depth::folder_alone)) {
      text += "images" + std::string(inner.empty() ? "" : " and folders");
    } else if (inner.empty()) {
      text += "no images";
    } else {
      text += std::to_string(inner.size()) + (inner.size() == 1 ? " folder, '" : " folders, the first '") +
              escaped(inner.front().filename().string()) + "', " +
              (has_images(inner.front(), Depth::folder_alone) ? "with images" : "without images of its own");
    }
  }
  if (folders.size() > shown) text += "\n  and " + std::to_string(folders.size() - shown) + " more";
  return text;
}

constexpr const char* other_ways =
    "\nGive the folder that contains the folders of a layout, name a dataset with its parameters in a "
    "recipe, or list the images in a manifest.csv (docs/data.md).";

/// Throws where a folder must not be taken for a heap of unlabeled images.
void check_no_data_set(const fs::path& root, const Catalog& catalog) {
  if (const auto below = data_sets_below(root, catalog); !below.empty()) {
    const bool one = below.size() == 1;
    throw DataError(root, std::string("is not a data set, but holds ") + (one ? "one: " : "") +
                              text_of(below) + "; give " + (one ? "that folder" : "one of them") +
                              ", as in: kindred data doctor " + below.front().folder.string());
  }
  const auto folders = folders_in(root);
  std::vector<fs::path> splits;
  std::copy_if(folders.begin(), folders.end(), std::back_inserter(splits),
               [](const fs::path& folder) { return names_a_split(folder.filename().string()); });
  if (splits.empty()) return;
  throw DataError(root, "has " + std::string(splits.size() == 1 ? "a folder" : "folders") + " called " +
                            quoted_list(names_of(splits)) +
                            ", but no known layout, so its images are not taken for one unlabeled gallery:" +
                            contents_of(folders) + "\nKnown layouts:" + known_layouts(catalog) + other_ways +
                            " To read the images of one folder without labels, give it: '" +
                            splits.front().string() + "'.");
}

[[noreturn]] void refuse_unknown(const fs::path& root, const Catalog& catalog) {
  const auto known = known_layouts(catalog);
  if (known.empty()) {
    throw DataError(root, "no plugin offers a dataset; give the folder of the plugins with --plugin-dir");
  }
  std::error_code failure;
  if (!fs::is_directory(root, failure)) {
    throw DataError(root, "is neither an image nor a list of images (a manifest in CSV)");
  }
  // Says what cannot be listed: a layout may be known by what is in there.
  static_cast<void>(list_images(root, Depth::all_below));
  throw DataError(root, "has no known layout: " + what_is_instead_of_images(root) +
                            ". Known layouts:" + known + other_ways);
}

/// Throws where there is nothing that could be opened.
void check_place(const fs::path& root) {
  if (!is_utf8(root.string())) {
    throw DataError(escaped(root.string()), "is not a name in UTF-8; rename it");
  }
  const auto why = why_not_a_file(root);
  if (!why.empty() && why != "is a folder") throw DataError(root, why);
  if (!why.empty()) {
    std::error_code failure;
    const fs::directory_iterator listed(root, failure);
    if (failure) throw DataError(root, "cannot be listed: " + failure.message());
    return;
  }
  const auto content = content_of(root);
  if (content.kind == ContentKind::video) throw DataError(root, video_text(content));
}

/// Whether a folder holds images, or folders that do, such as one for each camera.
bool may_be_a_person(const fs::path& folder) {
  if (has_images(folder, Depth::folder_alone)) return true;
  const auto inner = folders_in(folder);
  return std::any_of(inner.begin(), inner.end(),
                     [](const fs::path& one) { return has_images(one, Depth::folder_alone); });
}

/// Folders that may be people, of which nothing is read: also beside a few that are empty, or images that are
/// in none.
std::string remark_on(const fs::path& root) {
  const auto folders = folders_in(root);
  std::vector<fs::path> empty;
  for (const auto& folder : folders) {
    if (!may_be_a_person(folder)) empty.push_back(folder.filename());
  }
  const auto people = folders.size() - empty.size();
  if (people < 2 || 2 * empty.size() > people) return "";
  const auto loose = list_images(root, Depth::folder_alone);
  if (2 * loose.size() > people) return "";
  std::string text =
      root.string() + ": all images are read as one unlabeled gallery. If each of its " +
      std::to_string(people) +
      " folders shows one person, name a dataset in a recipe that reads them so (docs/data.md)";
  if (!empty.empty()) text += "; '" + empty.front().string() + "' holds no image of one";
  if (!loose.empty()) text += "; '" + loose.front() + "' lies in no folder";
  return text;
}

}  // namespace

OpenedFolder open_folder(const fs::path& root, const Catalog& catalog) {
  check_place(root);
  auto candidates = recognize(root, catalog);
  if (candidates.surest.empty() || candidates.recognition == Recognition::fallback) {
    std::error_code failure;
    if (fs::is_directory(root, failure)) check_no_data_set(root, catalog);
    if (candidates.surest.empty()) refuse_unknown(root, catalog);
  }
  if (candidates.surest.size() > 1) {
    std::vector<std::string> layouts;
    for (const auto& candidate : candidates.surest) layouts.push_back(candidate.layout);
    throw DataError(root, "could have any of the layouts " + quoted_list(layouts) +
                              "; choose one in a recipe: [dataset] with type = \"" + layouts.front() +
                              "\" and root = \"" + root.string() + "\"");
  }
  auto& [layout, dataset] = candidates.surest.front();
  const bool heap = candidates.recognition == Recognition::fallback;
  return {layout, std::move(dataset), heap ? remark_on(root) : ""};
}

fs::path folder_of_paths(const fs::path& root) {
  std::error_code failure;
  return fs::is_regular_file(root, failure) ? root.parent_path() : root;
}

}  // namespace kindred::data
