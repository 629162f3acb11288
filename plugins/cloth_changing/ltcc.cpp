#include "ltcc.h"

#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "kindred/text/name_scanner.h"

namespace kindred::cloth_changing {

std::optional<LtccName> parse_ltcc_name(std::string_view name) {
  NameScanner scanner(name);
  const auto identity = scanner.number();
  if (!identity || !scanner.skip("_")) return std::nullopt;
  const auto clothes = scanner.number();
  if (!clothes || !scanner.skip("_c")) return std::nullopt;
  const auto camera = scanner.number();
  if (!camera || !scanner.skip("_")) return std::nullopt;
  return LtccName{*identity, *clothes, *camera};
}

Schema<Ltcc::Params> Ltcc::schema() {
  Schema<Params> s("LTCC: people who change clothes, with the clothes in the file names.",
                   "Qian et al., Long-Term Cloth-Changing Person Re-identification, ACCV 2020");
  s.add("root", &Params::root, "folder with train, query and test; relative to the working directory")
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

Ltcc::Ltcc(const Params& params, const Context&)
    : root_(params.root), folders_{params.train, params.query, params.gallery} {}

std::vector<Sample> Ltcc::samples() const {
  std::vector<Sample> samples;
  for (auto& image : folders_.images(root_)) {
    const auto parsed = parse_ltcc_name(image.name);
    if (!parsed) {
      throw DataError(root_ / image.path,
                      "is not named IIII_O_cC_... (identity, clothes, camera), such as 094_1_c9_015833.png; "
                      "rename or remove the file");
    }
    samples.push_back(
        {std::move(image.path), parsed->identity, parsed->camera, "", image.split, parsed->clothes});
  }
  return samples;
}

cv::Mat Ltcc::image(const Sample& sample) const {
  return read_image(root_ / sample.path);
}

Recognition Ltcc::recognize() const {
  const bool train = folders_.has_train(root_);
  const bool test = folders_.has_test(root_);
  if (!train && !test) return Recognition::no;
  const auto name = folders_.some_name(root_);
  if (!name || !parse_ltcc_name(*name)) return Recognition::no;
  return train && test ? Recognition::certain : Recognition::likely;
}

}  // namespace kindred::cloth_changing
