#include "stage/label_stage.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/open_dataset.h"
#include "ranking/post_processing.h"
#include "results/labels_file.h"
#include "stage/label.h"
#include "stage/label_sheet.h"

namespace kindred::stage {

Schema<LabelStage::Settings> LabelStage::Settings::schema() {
  Schema<Settings> s("Assigns pseudo identities to unlabeled images, from their descriptors.");
  s.add("features", &Settings::features, "stage of type embed whose images are labeled")
      .required()
      .stage({"embed"});
  s.add("only", &Settings::only, "label only images of these domains; []: all");
  return s;
}

LabelStage::LabelStage(StageReader& reader)
    : settings_(reader.settings<Settings>({"labeler"})), labeler_(reader.component<Labeler>()) {}

void LabelStage::link(const std::function<const Stage&(const std::string&)>& stage_of) {
  data_ = stage_of(settings_.features).data();
  for (auto& images : data_) images.pixels = false;
}

Value LabelStage::settings() const {
  Value settings;
  settings.as<Table>()->set("labeler", recipe::resolved_without_paths(labeler_));
  Array only;
  for (const auto& domain : settings_.only) only.emplace_back(domain);
  settings.as<Table>()->set("only", Value(std::move(only)));
  return settings;
}

std::vector<const ComponentInfo*> LabelStage::components() const {
  return {&labeler_.factory->info()};
}

std::vector<recipe::NamedFile> LabelStage::files() const {
  return recipe::files_of(labeler_);
}

std::vector<std::string> LabelStage::results(const std::filesystem::path&) const {
  return {results::LabelsFile::name, results::LabelFiguresFile::name};
}

void LabelStage::check() const {
  static_cast<void>(labeler_.create({}));
}

StageResult LabelStage::run(const StageContext& context) const {
  const auto features = context.folder_of(settings_.features);
  auto input = ranking::read_folder_input(features, context.progress, context.ranks);
  const auto images = static_cast<std::int64_t>(input.query.size() + input.gallery.size());
  const auto outcome = label(*labeler_.create({}), std::move(input), settings_.only, context.folder,
                             context.device, context.progress, context.ranks);
  if (context.ranks.is_first()) {
    static_cast<void>(draw_label_sheet(results::LabelsFile::read(outcome.csv).samples,
                                       *data::open_dataset(data_.front().plan), context.folder / "labels.png",
                                       context.progress));
  }
  return {false, images};
}

}  // namespace kindred::stage
