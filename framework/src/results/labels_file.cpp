#include "results/labels_file.h"

#include <unordered_set>
#include <utility>

#include "file/sample_list.h"
#include "results/json_object.h"

namespace kindred::results {
namespace {

Json sizes_json(const LabelFiguresFile::Sizes& sizes) {
  return {{"minimum", sizes.minimum}, {"mean", sizes.mean}, {"maximum", sizes.maximum}};
}

LabelFiguresFile::Sizes sizes_of(const JsonObject& object) {
  return {object.get<std::int64_t>("minimum"), object.get<double>("mean"),
          object.get<std::int64_t>("maximum")};
}

Json truth_json(const LabelFiguresFile::Truth& truth) {
  return {{"images", truth.images},
          {"labeled", truth.labeled},
          {"persons", truth.persons},
          {"precision", json_or_null(truth.precision)},
          {"recall", json_or_null(truth.recall)},
          {"f1", json_or_null(truth.f1)},
          {"purity", json_or_null(truth.purity)}};
}

LabelFiguresFile::Truth truth_of(const JsonObject& object) {
  LabelFiguresFile::Truth truth;
  truth.images = object.get<std::int64_t>("images");
  truth.labeled = object.get<std::int64_t>("labeled");
  truth.persons = object.get<std::int64_t>("persons");
  truth.precision = object.find<double>("precision");
  truth.recall = object.find<double>("recall");
  truth.f1 = object.find<double>("f1");
  truth.purity = object.find<double>("purity");
  return truth;
}

}  // namespace

std::map<std::int64_t, std::int64_t> LabelsFile::sizes() const {
  std::map<std::int64_t, std::int64_t> images;
  for (const auto& sample : samples) ++images[sample.identity];
  return images;
}

LabelsFile LabelsFile::read(const std::filesystem::path& file) {
  file::SampleListReader reader(file);
  LabelsFile labels;
  std::unordered_set<std::string> paths;
  for (Sample sample; reader.next(sample);) {
    if (sample.identity < 0) throw reader.error("'" + sample.path + "' has no identity");
    if (!paths.insert(sample.path).second) {
      throw reader.error("image '" + sample.path + "' is listed twice");
    }
    labels.samples.push_back(std::move(sample));
  }
  return labels;
}

void LabelsFile::write(const std::filesystem::path& file) const {
  file::write_sample_list(file, samples);
}

LabelFiguresFile LabelFiguresFile::read(const std::filesystem::path& file) {
  const auto object = JsonObject::read(file);
  LabelFiguresFile figures;
  figures.identities = object.get<std::int64_t>("identities");
  figures.images = object.get<std::int64_t>("images");
  figures.all_images = object.get<std::int64_t>("all_images");
  for (const auto& part : object.objects("left_out")) {
    figures.left_out.push_back({part.get<std::string>("reason"), part.get<std::int64_t>("images")});
  }
  if (const auto sizes = object.find_object("images_per_identity")) {
    figures.images_per_identity = sizes_of(*sizes);
  }
  if (const auto known = object.find_object("truth")) figures.truth = truth_of(*known);
  return figures;
}

void LabelFiguresFile::write(const std::filesystem::path& file) const {
  Json json;
  json["identities"] = identities;
  json["images"] = images;
  json["all_images"] = all_images;
  json["left_out"] = Json::array();
  for (const auto& part : left_out) {
    json["left_out"].push_back({{"reason", part.reason}, {"images", part.images}});
  }
  json["images_per_identity"] = images_per_identity ? sizes_json(*images_per_identity) : Json(nullptr);
  json["truth"] = truth ? truth_json(*truth) : Json(nullptr);
  write_json(file, json);
}

}  // namespace kindred::results
