#include "market1501.h"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/text/csv.h"

namespace kindred::market1501 {
namespace {

struct Folder {
  const char* name;
  Split split;
};
constexpr std::array<Folder, 3> folders = {
    {{"bounding_box_train", Split::train}, {"query", Split::query}, {"bounding_box_test", Split::gallery}}};

bool is_folder(const std::filesystem::path& path) {
  std::error_code failure;
  return std::filesystem::is_directory(path, failure);
}

/// Takes the digits at the start of `text` away and returns them.
std::string_view take_digits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

}  // namespace

std::optional<MarketName> parse_market_name(std::string_view name) {
  MarketName result;
  if (name.starts_with("-1_")) {
    result.identity = junk_identity;
    name.remove_prefix(2);
  } else if (const auto identity = parse_integer(take_digits(name))) {
    result.identity = *identity;
  } else {
    return std::nullopt;
  }
  if (!name.starts_with("_c")) return std::nullopt;
  name.remove_prefix(2);
  const auto camera = parse_integer(take_digits(name));
  if (!camera) return std::nullopt;
  result.camera = *camera;
  if (name.starts_with('s')) {
    name.remove_prefix(1);
    if (take_digits(name).empty()) return std::nullopt;
  }
  if (!name.starts_with('_') && !name.starts_with('.')) return std::nullopt;
  return result;
}

Schema<Market1501::Params> Market1501::schema() {
  Schema<Params> s("Folders and file names of Market-1501; DukeMTMC-reID and others use them too.",
                   "Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015");
  s.add("root", &Params::root,
        "folder with bounding_box_train, query and bounding_box_test; relative to the working directory")
      .required()
      .location();
  return s;
}

Market1501::Market1501(const Params& params, const Context&) : params_(params) {}

std::vector<Sample> Market1501::samples() const {
  if (!is_folder(params_.root))
    throw DataError(
        params_.root,
        "is not a folder; set root to the folder with 'bounding_box_train', 'query' and 'bounding_box_test'");
  const bool train = is_folder(params_.root / "bounding_box_train");
  const bool query = is_folder(params_.root / "query");
  const bool gallery = is_folder(params_.root / "bounding_box_test");
  if (!train && !query && !gallery) {
    throw DataError(params_.root,
                    "contains none of the folders 'bounding_box_train', 'query' and 'bounding_box_test'; set "
                    "root to the folder that contains them");
  }
  if (query != gallery) {
    throw DataError(
        params_.root,
        query ? "contains 'query', but not its gallery 'bounding_box_test'; unpack the data set again"
              : "contains the gallery 'bounding_box_test', but not 'query'; unpack the data set again");
  }

  std::vector<Sample> samples;
  for (const auto& [folder, split] : folders) {
    if (!is_folder(params_.root / folder)) continue;
    const auto names = list_images(params_.root / folder, Depth::folder_alone);
    if (names.empty())
      throw DataError(params_.root / folder,
                      "contains no images: " + what_is_instead_of_images(params_.root / folder));
    samples.reserve(samples.size() + names.size());
    for (const std::string& name : names) {
      const auto parsed = parse_market_name(name);
      if (!parsed) {
        throw DataError(params_.root / folder / name,
                        "is not named IIII_cC... (identity, camera), such as 0002_c1s1_000451_03.jpg; rename "
                        "or remove the file");
      }
      samples.push_back({std::string(folder) + '/' + name, parsed->identity, parsed->camera, "", split});
    }
  }
  return samples;
}

cv::Mat Market1501::image(const Sample& sample) const {
  return read_image(params_.root / sample.path);
}

Recognition Market1501::recognize() const {
  const bool train = is_folder(params_.root / "bounding_box_train");
  const bool test = is_folder(params_.root / "query") && is_folder(params_.root / "bounding_box_test");
  if (train && test) return Recognition::certain;
  if (!train && !test) return Recognition::no;
  std::error_code failure;
  for (std::filesystem::directory_iterator
           at(params_.root / (train ? "bounding_box_train" : "query"), failure),
       end;
       !failure && at != end; at.increment(failure)) {
    if (!is_image_file(at->path())) continue;
    return parse_market_name(at->path().filename().string()) ? Recognition::likely : Recognition::no;
  }
  return Recognition::no;
}

}  // namespace kindred::market1501
