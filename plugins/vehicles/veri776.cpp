#include "veri776.h"

#include <unordered_set>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/text/image_list.h"
#include "kindred/text/name_scanner.h"

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

}  // namespace

std::optional<VeriName> parse_veri_name(std::string_view name) {
  NameScanner scanner(name);
  const auto identity = scanner.number();
  if (!identity || !scanner.skip("_c")) return std::nullopt;
  const auto camera = scanner.number();
  if (!camera || !scanner.skip("_")) return std::nullopt;
  return VeriName{*identity, *camera};
}

Schema<Veri776::Params> Veri776::schema() {
  Schema<Params> s("VeRi-776: vehicles of 20 cameras, in three folders of images.",
                   "Liu et al., A Deep Learning-Based Approach to Progressive Vehicle Re-identification for "
                   "Urban Surveillance, ECCV 2016");
  s.add("root", &Params::root,
        "folder with image_train, image_query and image_test; relative to the working directory")
      .required()
      .location();
  s.add("train", &Params::train, "folder of the training images, relative to root")
      .like(is_inner_path, "the name of a folder in root");
  s.add("query", &Params::query, "folder of the queries, relative to root")
      .like(is_inner_path, "the name of a folder in root");
  s.add("gallery", &Params::gallery, "folder of the gallery, relative to root")
      .like(is_inner_path, "the name of a folder in root");
  return s;
}

Veri776::Veri776(const Params& params, const Context&)
    : root_(params.root), folders_{params.train, params.query, params.gallery} {}

std::vector<Sample> Veri776::samples() const {
  auto images = folders_.images(root_);
  keep_listed(root_, images);
  std::vector<Sample> samples;
  samples.reserve(images.size());
  for (auto& image : images) {
    const auto parsed = parse_veri_name(image.name);
    if (!parsed) {
      throw DataError(root_ / image.path,
                      "is not named IIII_cCCC_... (identity, camera), such as 0002_c002_00030600_0.jpg; "
                      "rename or remove the file");
    }
    samples.push_back({std::move(image.path), parsed->identity, parsed->camera, "", image.split});
  }
  return samples;
}

cv::Mat Veri776::image(const Sample& sample) const {
  return read_image(root_ / sample.path);
}

Recognition Veri776::recognize() const {
  const bool train = folders_.has_train(root_);
  const bool test = folders_.has_test(root_);
  if (!train && !test) return Recognition::no;
  const auto name = folders_.some_name(root_);
  if (!name || !parse_veri_name(*name)) return Recognition::no;
  return train && test ? Recognition::certain : Recognition::likely;
}

}  // namespace kindred::vehicles
