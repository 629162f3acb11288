#include "market1501.h"

#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/text/name_scanner.h"

namespace kindred::market1501 {

std::optional<MarketName> parse_market_name(std::string_view name) {
  NameScanner scanner(name);
  MarketName result;
  if (name.starts_with("-1_")) {
    result.identity = junk_identity;
    scanner.skip("-1");
  } else if (const auto identity = scanner.number()) {
    result.identity = *identity;
  } else {
    return std::nullopt;
  }
  if (!scanner.skip("_c")) return std::nullopt;
  const auto camera = scanner.number();
  if (!camera) return std::nullopt;
  result.camera = *camera;
  if (scanner.skip("s") && !scanner.number()) return std::nullopt;
  if (!scanner.skip("_") && !scanner.skip(".")) return std::nullopt;
  return result;
}

Schema<Market1501::Params> Market1501::schema() {
  Schema<Params> s("Folders and file names of Market-1501; DukeMTMC-reID, Occluded-Duke and others use them.",
                   "Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015");
  s.add("root", &Params::root,
        "folder with bounding_box_train, query and bounding_box_test; relative to the working directory")
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

Market1501::Market1501(const Params& params, const Context&)
    : root_(params.root), folders_{params.train, params.query, params.gallery} {}

std::vector<Sample> Market1501::samples() const {
  std::vector<Sample> samples;
  for (auto& image : folders_.images(root_)) {
    const auto parsed = parse_market_name(image.name);
    if (!parsed) {
      throw DataError(root_ / image.path,
                      "is not named IIII_cC... (identity, camera), such as 0002_c1s1_000451_03.jpg; rename "
                      "or remove the file");
    }
    samples.push_back({std::move(image.path), parsed->identity, parsed->camera, "", image.split});
  }
  return samples;
}

cv::Mat Market1501::image(const Sample& sample) const {
  return read_image(root_ / sample.path);
}

Recognition Market1501::recognize() const {
  const bool train = folders_.has_train(root_);
  const bool test = folders_.has_test(root_);
  if (train && test) return Recognition::certain;
  if (!train && !test) return Recognition::no;
  const auto name = folders_.some_name(root_);
  return name && parse_market_name(*name) ? Recognition::likely : Recognition::no;
}

}  // namespace kindred::market1501
