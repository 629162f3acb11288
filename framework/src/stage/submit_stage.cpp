#include "stage/submit_stage.h"

#include <utility>

#include "data/open_dataset.h"
#include "results/matches_file.h"
#include "stage/submit.h"

namespace kindred::stage {

Schema<SubmitStage::Settings> SubmitStage::Settings::schema() {
  Schema<Settings> s("Writes rankings in a submission format, and reads the file back to verify it.");
  s.add("rankings", &Settings::rankings,
        "stages of type rank; together they must rank each query of the data once")
      .required()
      .stage({"rank"});
  return s;
}

SubmitStage::SubmitStage(StageReader& reader)
    : settings_(reader.settings<Settings>({"writer", "dataset"})),
      writer_(reader.component<Writer>()),
      data_(reader.data()) {}

Value SubmitStage::settings() const {
  Value settings;
  settings.as<Table>()->set("writer", recipe::resolved_without_paths(writer_));
  settings.as<Table>()->set("dataset", recipe::resolved_without_paths(data_.dataset()));
  return settings;
}

std::vector<const ComponentInfo*> SubmitStage::components() const {
  return {&writer_.factory->info(), &data_.dataset().factory->info()};
}

std::vector<StageData> SubmitStage::data() const {
  return {{data_, {Split::query, Split::gallery}, /*pixels=*/false}};
}

std::vector<recipe::NamedFile> SubmitStage::files() const {
  auto files = recipe::files_of(writer_);
  for (auto& file : recipe::files_of(data_.dataset())) files.push_back(std::move(file));
  return files;
}

std::vector<std::string> SubmitStage::results(const std::filesystem::path&) const {
  return {writer_.create({})->file_name()};
}

void SubmitStage::check() const {
  static_cast<void>(writer_.create({}));
}

StageResult SubmitStage::run(const StageContext& context) const {
  std::vector<std::filesystem::path> rankings;
  for (const auto& stage : settings_.rankings) {
    rankings.push_back(context.folder_of(stage) / results::MatchesFiles::csv_name);
  }
  const auto outcome = submit(*writer_.create({}), rankings, data::open_dataset(data_)->samples(),
                              context.folder, context.progress);
  return {false, outcome.queries};
}

}  // namespace kindred::stage
