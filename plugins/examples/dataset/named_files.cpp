#include "named_files.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/text/csv.h"

namespace my_plugins {
namespace {

struct Name {
  std::int64_t identity;
  std::int64_t camera;
};

/// "0012_c3_0005.jpg" -> 12, 3; nothing for another name.
std::optional<Name> parse_name(std::string_view name) {
  const auto first = name.find("_c");
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = name.find_first_not_of("0123456789", first + 2);
  const auto identity = kindred::parse_integer(name.substr(0, first));
  const auto camera = kindred::parse_integer(name.substr(first + 2, second - first - 2));
  if (!identity || !camera || *identity < 0) return std::nullopt;
  return Name{*identity, *camera};
}

}  // namespace

kindred::Schema<NamedFiles::Params> NamedFiles::schema() {
  kindred::Schema<Params> s("Folders train, query and gallery of images named IDENTITY_cCAMERA...");
  // --data sets the parameter `root`, which is a place and not a value that decides results.
  s.add("root", &Params::root, "folder with train, query and gallery; relative to the working directory")
      .required()
      .location();
  return s;
}

NamedFiles::NamedFiles(const Params& params, const Context&) : params_(params) {}

std::vector<kindred::Sample> NamedFiles::samples() const {
  std::vector<kindred::Sample> samples;
  for (const auto split : {kindred::Split::train, kindred::Split::query, kindred::Split::gallery}) {
    const std::string folder = kindred::split_name(split);
    for (const auto& file : kindred::list_images(params_.root / folder, kindred::Depth::folder_alone)) {
      const auto name = parse_name(file);
      if (!name) {
        throw kindred::DataError(params_.root / folder / file,
                                 "its name does not say whom it shows; name it like 0012_c3_0005.jpg for "
                                 "identity 12 and camera 3");
      }
      samples.push_back({folder + "/" + file, name->identity, name->camera, "", split});
    }
  }
  return samples;
}

cv::Mat NamedFiles::image(const kindred::Sample& sample) const {
  return kindred::read_image(params_.root / sample.path);
}

kindred::Recognition NamedFiles::recognize() const {
  try {
    const auto train = kindred::list_images(params_.root / "train", kindred::Depth::folder_alone);
    const bool named = !train.empty() && std::all_of(train.begin(), train.end(), [](const auto& file) {
      return parse_name(file).has_value();
    });
    return named ? kindred::Recognition::likely : kindred::Recognition::no;
  } catch (const std::exception&) {
    return kindred::Recognition::no;
  }
}

}  // namespace my_plugins
