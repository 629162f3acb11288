#include "veri776.h"

#include <cstdint>
#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/text/csv.h"
#include "kindred/text/image_list.h"
#include "kindred/text/name_scanner.h"
#include "kindred/text/text_file.h"

namespace kindred::vehicles {
namespace {

const char* list_of(Split split) {
  switch (split) {
    case Split::train:
      return "name_train.txt";
    case Split::query:
      return "name_query.txt";
    case Split::gallery:
      return "name_test.txt";
  }
  return "";
}

/// Leaves those that the list of their split names, when there is one.
void keep_listed(const std::filesystem::path& root, std::vector<SplitFolders::Image>& images) {
  for (const Split split : {Split::train, Split::query, Split::gallery}) {
    const auto list = root / list_of(split);
    if (!is_file(list)) continue;
    std::unordered_set<std::string> present;
    for (const auto& image : images) {
      if (image.split == split) present.insert(image.name);
    }
    if (present.empty()) continue;  // the folder is not there, which SplitFolders allows
    std::unordered_set<std::string> listed;
    for (const auto& line : read_name_list(list)) {
      if (!present.contains(line.name)) {
        throw DataError(list, line.line,
                        "image '" + line.name + "' is not in the folder of its split; unpack the data set " +
                            "again, or remove the line");
      }
      listed.insert(line.name);
    }
    std::erase_if(images,
                  [&](const auto& image) { return image.split == split && !listed.contains(image.name); });
  }
}

/// The views that a list gives, by the names of files.
std::unordered_map<std::string, std::int64_t> read_views(const std::filesystem::path& file) {
  constexpr std::int64_t views = 8;
  std::unordered_map<std::string, std::int64_t> result;
  std::istringstream in(read_text_file(file));
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    std::istringstream cells(text);
    std::string path;
    if (!(cells >> path)) continue;
    std::string last;
    for (std::string cell; cells >> cell;) last = std::move(cell);
    const auto view = parse_integer(last);
    if (!view || *view < 0 || *view >= views) {
      throw DataError(file, line, "does not end in a view from 0 to 7; a line has the form PATH ... VIEW");
    }
    result[path.substr(path.find_last_of('/') + 1)] = *view;
  }
  return result;
}

}  // namespace

std::optional<NameFacts> parse_veri_name(std::string_view name) {
  NameScanner scanner(name);
  const auto identity = scanner.number();
  if (!identity || !scanner.skip("_c")) return std::nullopt;
  const auto camera = scanner.number();
  if (!camera || !scanner.skip("_")) return std::nullopt;
  return NameFacts{*identity, *camera};
}

Schema<Veri776::Params> Veri776::schema() {
  Schema<Params> s("VeRi-776: vehicles of 20 cameras, in three folders of images.",
                   "Liu et al., A Deep Learning-Based Approach to Progressive Vehicle Re-identification for "
                   "Urban Surveillance, ECCV 2016");
  add_split_folders(s);
  return s;
}

Veri776::Veri776(const Params& params, const Context& /*context*/)
    : NamedImages(params.root, {params.train, params.query, params.gallery},
                  {parse_veri_name, "IIII_cCCC_... (identity, camera), such as 0002_c002_00030600_0.jpg"}) {}

std::vector<SplitFolders::Image> Veri776::images() const {
  auto images = NamedImages::images();
  keep_listed(root(), images);
  return images;
}

std::vector<Sample> Veri776::samples() const {
  auto samples = NamedImages::samples();
  for (const bool train : {true, false}) {
    const auto file = root() / (train ? "keypoint_train.txt" : "keypoint_test.txt");
    if (!is_file(file)) continue;
    const auto views = read_views(file);
    for (auto& sample : samples) {
      if ((sample.split == Split::train) != train) continue;
      const auto view = views.find(sample.path.substr(sample.path.find_last_of('/') + 1));
      if (view != views.end()) sample.view = view->second;
    }
  }
  return samples;
}

}  // namespace kindred::vehicles
