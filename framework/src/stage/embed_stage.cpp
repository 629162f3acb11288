#include "stage/embed_stage.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "data/domain_filter.h"
#include "data/open_dataset.h"
#include "file/feature_files.h"
#include "inference/feature_extraction.h"
#include "model/model_file.h"
#include "recipe/recipe_merge.h"
#include "results/domains_file.h"
#include "stage/embed.h"
#include "stage/train_stage.h"

namespace kindred::stage {

Schema<EmbedStage::Settings> EmbedStage::Settings::schema() {
  Schema<Settings> s("Extracts features of the query and gallery images with a model.");
  s.add("model", &Settings::model, "stage of type train whose model is used").stage({"train"});
  s.add("weights", &Settings::weights, "instead of a stage, a model file; relative to the working directory")
      .file();
  s.add("domains", &Settings::domains,
        "stage of type partition that gives the domains of the images; if not set, the domains of the data "
        "set")
      .stage({"partition"});
  s.add("only", &Settings::only, "extract features only of images of these domains; []: all");
  s.rule([](const Settings& settings) -> std::string {
    return settings.model.has_value() == settings.weights.has_value()
               ? "set either model (the name of a stage) or weights (a file)"
               : "";
  });
  return s;
}

EmbedStage::EmbedStage(StageReader& reader)
    : catalog_(reader.chooser().catalog()),
      settings_(reader.settings<Settings>({"dataset", "folds", "embed", "loader"})),
      data_(reader.data()) {
  static_cast<void>(reader.engine_table<recipe::EmbedSettings>("embed"));
  static_cast<void>(reader.engine_table<recipe::LoaderSettings>("loader"));
  for (const std::string key : {"embed", "loader"}) {
    const auto* table = reader.table(key);
    if (table == nullptr || table->as<Table>() == nullptr) continue;
    changes_.as<Table>()->set(key, *table);
  }
}

Value EmbedStage::settings() const {
  auto settings = recipe::part_affecting(Affects::features, changes_, catalog_);
  auto& table = *settings.as<Table>();
  table.set("dataset", recipe::resolved_without_paths(data_.dataset()));
  if (data_.folds.fold > 0) {
    auto folds = recipe::FoldsSettings::schema().write(data_.folds);
    folds.as<Table>()->erase("distractors");  // the data say what they are
    table.set("folds", std::move(folds));
  }
  Array only;
  for (const auto& domain : settings_.only) only.emplace_back(domain);
  table.set("only", Value(std::move(only)));
  return settings;
}

void EmbedStage::link(const std::function<const Stage&(const std::string&)>& stage_of) {
  code_ = {&data_.dataset().factory->info()};
  if (settings_.model) {
    const auto& model = stage_of(*settings_.model);
    model_plan_ = model.model_plan();
    take_settings_of(*model_plan_);
    const auto of_model = model.components();
    code_.insert(code_.end(), of_model.begin(), of_model.end());
  } else {
    // Which of them the file needs is known when it is read.
    for (const auto* factory : catalog_.components()) code_.push_back(&factory->info());
  }
}

void EmbedStage::take_settings_of(const recipe::Plan& plan) {
  Value whole;
  whole.as<Table>()->set("embed", recipe::EmbedSettings::schema().write(plan.embed));
  whole.as<Table>()->set("loader", recipe::LoaderSettings::schema().write(plan.loader));
  Diagnostics none;  // tables of settings have no list whose entry might not be there
  recipe::merge_recipe(*whole.as<Table>(), *changes_.as<Table>(), none);
  changes_ = std::move(whole);
}

std::vector<std::string> EmbedStage::overrides() const {
  std::vector<std::string> overrides;
  for (const auto& table : changes_.as<Table>()->entries()) {
    for (const auto& entry : table.value.as<Table>()->entries()) {
      overrides.push_back(table.key + "." + entry.key + "=" + entry.value.to_toml());
    }
  }
  return overrides;
}

void EmbedStage::check_on(torch::Device device) const {
  const auto samples = data::open_dataset(data_)->samples();
  for (const auto split : {Split::query, Split::gallery}) {
    const bool any = std::any_of(samples.begin(), samples.end(),
                                 [split](const Sample& sample) { return sample.split == split; });
    if (any) continue;
    const auto& dataset = data_.dataset();
    throw RecipeError(dataset.location,
                      (dataset.prefix.empty() ? dataset.subject() : "data set '" + dataset.name + "'") +
                          ": has no " + split_name(split) +
                          " images, so nothing can be ranked; use data with " +
                          (dataset.prefix.empty() ? "both, or train alone with `kindred train`"
                                                  : "both, or leave it out of evaluate_on"));
  }
  if (model_plan_ == nullptr) return;
  auto plan = *model_plan_;
  if (const auto* written = changes_.as<Table>()->find("embed")) {
    Diagnostics checked;
    plan.embed = recipe::EmbedSettings::schema().parse(*written, "[stage.embed]", checked);
  }
  static_cast<void>(inference::inference_precision(plan, device));
}

std::vector<StageData> EmbedStage::data() const {
  return {{data_, {Split::query, Split::gallery}}};
}

std::vector<recipe::NamedFile> EmbedStage::files() const {
  auto files = recipe::files_of(data_.dataset());
  if (settings_.weights) files.push_back({"weights", *settings_.weights});
  return files;
}

std::vector<std::string> EmbedStage::results(const std::filesystem::path& folder) const {
  std::vector<std::string> files;
  for (const std::string split : {"query", "gallery"}) {
    if (file::has_sharded_features(folder / split)) {
      const auto list = file::shard_list_of(folder / split);
      for (const auto& shard : file::ShardList::read(list).shards) files.push_back(shard.file.string());
      files.push_back(list.filename().string());
    } else {
      files.push_back(split + ".npy");
    }
    files.push_back(split + ".csv");
  }
  return files;
}

StageResult EmbedStage::run(const StageContext& context) const {
  const auto model = settings_.model ? trained_model(context.folder_of(*settings_.model))
                                     : std::filesystem::path(*settings_.weights);
  if (settings_.model && model != trained_models(context.folder_of(*settings_.model)).front()) {
    context.progress.note("using the averaged weights, " + model.string());
  }
  const auto model_file = model::read_model_file(model, context.catalog, overrides());
  if (context.ranks.is_first()) {
    for (const auto& note : model_file.notes) context.progress.note(note);
  }
  if (!data_.dataset().prefix.empty()) model_file.model->find_datasets_in_paths();
  const auto dataset = data::open_dataset(data_);
  auto samples = dataset->samples();
  const auto keep = [&](const auto& wanted) {
    samples.erase(std::remove_if(samples.begin(), samples.end(), std::not_fn(wanted)), samples.end());
  };
  keep([](const Sample& sample) { return sample.split != Split::train; });
  if (settings_.domains) {
    const auto csv = context.folder_of(*settings_.domains) / results::DomainsFile::name;
    results::DomainsFile::read(csv).give_to(samples, csv);
  }
  data::require_domains(samples, settings_.only, "stage '" + name + "': only");
  keep([&](const Sample& sample) { return data::is_of_domains(sample, settings_.only); });
  const auto written = embed_dataset(*model_file.model, model_file.plan, *dataset, samples, context.folder,
                                     context.device, context.progress, false, context.ranks);
  StageResult result;
  for (const auto& split : written) result.images += split.images;
  if (written.size() < 2) {
    throw DataError(context.folder,
                    "stage '" + name + "': there are no " +
                        (written.front().split == Split::query ? std::string("gallery") : "query") +
                        " images; a search needs both");
  }
  return result;
}

}  // namespace kindred::stage
