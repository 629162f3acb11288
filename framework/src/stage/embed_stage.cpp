#include "stage/embed_stage.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "data/domain_filter.h"
#include "model/model_file.h"
#include "stage/embed.h"
#include "stage/partition.h"
#include "stage/train_stage.h"

namespace kindred::stage {

Schema<EmbedStage::Settings> EmbedStage::Settings::schema() {
  Schema<Settings> s("Extracts features of the query and gallery images with a model.");
  s.add("model", &Settings::model, "stage of type train whose model is used");
  s.add("weights", &Settings::weights, "instead of a stage, a model file; relative to the working directory");
  s.add("domains", &Settings::domains,
        "stage of type partition that gives the domains of the images; if not set, the domains of the data "
        "set");
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
      settings_(reader.settings<Settings>({"dataset", "embed"})),
      dataset_(reader.dataset()),
      model_location_(reader.location_of("model")),
      domains_location_(reader.location_of("domains")) {
  if (const auto* table = reader.table("embed")) {
    embed_ = *table;
    static_cast<void>(recipe::EmbedSettings::schema().parse(*table, reader.title() + ": [stage.embed]",
                                                            reader.chooser().diagnostics));
    if (table->as<Table>() != nullptr) {
      for (const auto& entry : table->as<Table>()->entries()) {
        overrides_.push_back("embed." + entry.key + "=" + entry.value.to_toml());
      }
    }
  }
}

std::vector<StageInput> EmbedStage::inputs() const {
  std::vector<StageInput> inputs;
  if (settings_.model) inputs.push_back({"model", {*settings_.model}, {"train"}, model_location_});
  if (settings_.domains)
    inputs.push_back({"domains", {*settings_.domains}, {"partition"}, domains_location_});
  return inputs;
}

Value EmbedStage::settings() const {
  Value settings;
  auto& table = *settings.as<Table>();
  table.set("dataset", recipe::resolved_without_root(dataset_));
  table.set("embed", embed_);
  Array only;
  for (const auto& domain : settings_.only) only.emplace_back(domain);
  table.set("only", Value(std::move(only)));
  return settings;
}

void EmbedStage::link(const std::function<const Stage&(const std::string&)>& stage_of) {
  code_ = {&dataset_.factory->info()};
  if (settings_.model) {
    const auto of_model = stage_of(*settings_.model).components();
    code_.insert(code_.end(), of_model.begin(), of_model.end());
  } else {
    // Which of them the file needs is known when it is read.
    for (const auto* factory : catalog_.components()) code_.push_back(&factory->info());
  }
}

std::optional<StageData> EmbedStage::data() const {
  return StageData{dataset_, {Split::query, Split::gallery}};
}

std::vector<std::filesystem::path> EmbedStage::files() const {
  if (!settings_.weights) return {};
  return {*settings_.weights};
}

std::vector<std::string> EmbedStage::results(const std::filesystem::path&) const {
  return {"query.npy", "query.csv", "gallery.npy", "gallery.csv"};
}

void EmbedStage::check() const {}

StageResult EmbedStage::run(const StageContext& context) const {
  const auto model = settings_.model ? trained_model(context.folder_of(*settings_.model))
                                     : std::filesystem::path(*settings_.weights);
  const auto model_file = model::read_model_file(model, context.catalog, overrides_);
  const auto dataset = dataset_.create({});
  auto samples = dataset->samples();
  const auto keep = [&](const auto& wanted) {
    samples.erase(std::remove_if(samples.begin(), samples.end(), std::not_fn(wanted)), samples.end());
  };
  keep([](const Sample& sample) { return sample.split != Split::train; });
  if (settings_.domains) {
    const auto csv = context.folder_of(*settings_.domains) / "domains.csv";
    set_domains(samples, read_domains(csv), csv);
  }
  data::require_domains(samples, settings_.only, "stage '" + name + "': only");
  keep([&](const Sample& sample) { return data::is_of_domains(sample, settings_.only); });
  const auto written = embed_dataset(*model_file.model, model_file.plan, *dataset, samples, context.folder,
                                     context.device, context.progress);
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
