#include "report/run_files.h"

#include <algorithm>
#include <system_error>

#include "file/atomic_file.h"
#include "file/folder_entries.h"
#include "file/presence.h"
#include "file/read_text.h"
#include "file/sample_list.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "recipe/toml_reader.h"
#include "results/costs_file.h"

namespace kindred::report {
namespace {

namespace fs = std::filesystem;

/// Also where the system does not say: who reads it then learns why.
bool may_be_there(const fs::path& file) {
  std::error_code failure;
  return fs::exists(file, failure) || failure;
}

/// The entries of a folder, by name.
std::vector<fs::path> entries_of(const fs::path& folder) {
  auto entries = file::folder_entries(folder);
  std::sort(entries.begin(), entries.end());
  return entries;
}

EmbeddingFiles read_embedding_files(const fs::path& folder) {
  EmbeddingFiles files;
  for (const auto* name : {"query.csv", "gallery.csv", "train.csv"}) {
    if (may_be_there(folder / name)) files.tables.push_back(folder / name);
  }
  return files;
}

LabelFiles read_label_files(const fs::path& folder) {
  LabelFiles files;
  files.labels = read_piece(folder / results::LabelsFile::name, results::LabelsFile::read);
  files.figures = read_piece(folder / results::LabelFiguresFile::name, results::LabelFiguresFile::read);
  if (may_be_there(folder / "labels.png")) files.sheet = folder / "labels.png";
  return files;
}

OtherFiles read_other_files(const fs::path& folder) {
  OtherFiles files;
  for (const auto& entry : entries_of(folder)) {
    std::error_code failure;
    const auto size = fs::file_size(entry, failure);
    const bool result = entry.filename() != results::StageRecord::finished_file &&
                        entry.filename() != results::StageRecord::started_file &&
                        !file::is_unfinished_file(entry);
    if (!failure && result) files.files.emplace_back(entry.filename(), size);
  }
  return files;
}

void read_files(RunStage& stage) {
  if (stage.type == "train") {
    stage.files = read_training_files(stage.folder);
  } else if (stage.type == "embed") {
    stage.files = read_embedding_files(stage.folder);
  } else if (stage.type == "partition") {
    stage.files =
        PartitionFiles{read_piece(stage.folder / results::DomainsFile::name, results::DomainsFile::read)};
  } else if (stage.type == "label") {
    stage.files = read_label_files(stage.folder);
  } else if (stage.type == "rank") {
    stage.files = read_ranking_files(stage.folder);
  } else {
    const auto files = read_piece(stage.folder, read_other_files);
    if (files.value) stage.files = *files.value;
    if (stage.trouble.empty()) stage.trouble = files.trouble;
  }
}

/// stage.json, or started.json where the stage has not ended.
Piece<results::StageRecord> read_record(const fs::path& folder) {
  auto finished = read_piece(folder / results::StageRecord::finished_file, results::StageRecord::read);
  if (finished.there()) return finished;
  return read_piece(folder / results::StageRecord::started_file, results::StageRecord::read);
}

void set_record(RunStage& stage, const Piece<results::StageRecord>& read) {
  stage.trouble = read.trouble;
  if (!read.value) return;
  const auto& record = *read.value;
  stage.finished = record.finished;
  stage.finished_at = record.ended;
  stage.type = record.key.type;
  stage.cost = record.cost;
  for (const auto& [key, names] : record.key.reads) {
    for (const auto& name : names) {
      if (std::find(stage.inputs.begin(), stage.inputs.end(), name) == stage.inputs.end()) {
        stage.inputs.push_back(name);
      }
    }
  }
}

/// Of one that has not ended it is not said: it is not there yet.
std::vector<std::string> read_by(const results::StageRecord& record) {
  std::vector<std::string> all;
  if (!record.finished) return all;
  for (const auto& [key, names] : record.key.reads) all.insert(all.end(), names.begin(), names.end());
  return all;
}

/// Name and type of each [[stage]] of the recipe; none when it cannot be read as TOML.
std::vector<RunStage> planned_stages(const RunFiles& run) {
  std::vector<RunStage> stages;
  const auto value = run.recipe_value();
  const auto* list = value.as<Table>()->find("stage");
  const auto* entries = list == nullptr ? nullptr : list->as<Array>();
  if (entries == nullptr) return stages;
  for (const auto& entry : *entries) {
    const auto text = [&](const char* key) {
      const auto* table = entry.as<Table>();
      const auto* found = table == nullptr ? nullptr : table->find(key);
      const auto* held = found == nullptr ? nullptr : found->as<std::string>();
      return held == nullptr ? std::string() : *held;
    };
    RunStage stage;
    stage.type = text("type");
    stage.name = text("name").empty() ? stage.type : text("name");
    stage.folder = run.folder / stage.name;
    stage.weights = text("weights");
    // A stage lies in a folder of the run, wherever a name may point.
    const bool plain =
        fs::path(stage.name).filename() == stage.name && stage.name != "." && stage.name != "..";
    if (!stage.name.empty() && plain) stages.push_back(std::move(stage));
  }
  return stages;
}

void read_stages(RunFiles& run) {
  auto& stages = run.stages;
  stages = planned_stages(run);
  const auto planned = stages.size();
  std::vector<Piece<results::StageRecord>> read;  // of the stages
  for (const auto& stage : stages) read.push_back(read_record(stage.folder));
  for (const auto& entry : entries_of(run.folder)) {
    const auto name = entry.filename().string();
    const bool known =
        std::any_of(stages.begin(), stages.end(), [&](const RunStage& stage) { return stage.name == name; });
    if (known) continue;
    auto record = read_record(entry);
    if (!record.there()) continue;
    read.push_back(std::move(record));
    RunStage stage;
    stage.name = name;
    stage.folder = entry;
    stages.push_back(std::move(stage));
  }
  std::vector<results::StageRecord> records;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    set_record(stages[i], read[i]);
    if (read[i].value) records.push_back(*read[i].value);
    read_files(stages[i]);
  }
  run.outdated = results::outdated_stages(records, read_by);
  // Those of which the recipe does not tell the place, in the order in which they ended.
  std::stable_sort(stages.begin() + static_cast<std::ptrdiff_t>(planned), stages.end(),
                   [](const RunStage& a, const RunStage& b) { return a.finished_at < b.finished_at; });
}

/// costs.json says what a lost stage.json does not.
void read_costs(RunFiles& run) {
  const auto costs = read_piece(run.folder / results::CostsFile::name, results::CostsFile::read);
  run.costs_trouble = costs.trouble;
  for (auto& stage : run.stages) {
    if (stage.cost) continue;
    if (!costs.value) continue;
    for (const auto& known : costs.value->stages) {
      if (known.name == stage.name) stage.cost = known.cost;
    }
  }
}

void read_warnings(RunFiles& run) {
  const auto add = [&](const std::vector<std::string>& warnings) {
    for (const auto& warning : warnings) {
      if (std::find(run.warnings.begin(), run.warnings.end(), warning) == run.warnings.end()) {
        run.warnings.push_back(warning);
      }
    }
  };
  const auto add_log = [&](const fs::path& file) {
    const auto log = read_piece(file, read_log_warnings);
    if (!log.trouble.empty()) run.log_trouble = log.trouble;
    if (log.value) add(*log.value);
  };
  add_log(run.folder / "log.txt");
  for (const auto& stage : run.stages) {
    const auto* training = stage.holds<TrainingFiles>();
    if (training == nullptr) continue;
    add_log(stage.folder / "log.txt");
    if (training->metrics.value) add(training->metrics.value->warnings);
  }
}

/// What the lists beside descriptors say of each image.
void read_images(RunFiles& run) {
  for (const auto& stage : run.stages) {
    const auto* embedding = stage.holds<EmbeddingFiles>();
    if (embedding == nullptr) continue;
    for (const auto& table : embedding->tables) {
      try {
        file::SampleListReader reader(table);
        for (Sample sample; reader.next(sample);) run.images.insert_or_assign(sample.path, sample);
      } catch (const DataError& error) {
        run.image_troubles.push_back(message_of(error, table));
      }
    }
  }
}

}  // namespace

const RunStage* RunFiles::find(const std::string& name) const {
  const auto at =
      std::find_if(stages.begin(), stages.end(), [&](const RunStage& stage) { return stage.name == name; });
  return at == stages.end() ? nullptr : &*at;
}

std::vector<const RunStage*> RunFiles::rankings() const {
  std::vector<const RunStage*> found;
  for (const auto& stage : stages) {
    if (stage.holds<RankingFiles>() != nullptr) found.push_back(&stage);
  }
  return found;
}

Value RunFiles::recipe_value() const {
  if (!recipe.value) return {};
  try {
    return recipe::parse_toml(*recipe.value, recipe_file);
  } catch (const RecipeError&) {
    return {};
  }
}

std::string RunFiles::recipe_key(const char* key) const {
  const auto value = recipe_value();
  const auto* found = value.as<Table>()->find(key);
  if (found == nullptr) return "";
  const auto* text = found->as<std::string>();
  return text != nullptr ? *text : found->to_toml();
}

std::string RunFiles::title() const {
  const auto name = recipe_key("name");
  return name.empty() ? folder.filename().string() : name;
}

RunFiles read_run(const fs::path& folder) {
  std::error_code failure;
  if (!file::is_there(folder)) throw DataError(folder, "does not exist; give the folder of a run: runs/NAME");
  if (!fs::is_directory(folder, failure)) {
    throw DataError(folder, "is a file; give the folder of a run: runs/NAME");
  }
  RunFiles run;
  run.folder = fs::canonical(folder, failure);
  if (failure) throw DataError(folder, "cannot be opened: " + failure.message());
  run.recipe_file = run.folder / "pipeline.toml";
  run.recipe = read_piece(run.recipe_file, file::read_text);
  read_stages(run);
  if (!run.recipe.there() && run.stages.empty()) {
    for (const auto* table : {"study.csv", "folds.csv"}) {
      if (!file::is_there(run.folder / table)) continue;
      throw DataError(folder, std::string("is the folder of several runs; give one of them: ") + table +
                                  " lists their folders in it, in its column 'run'");
    }
    throw DataError(
        folder,
        "is not the folder of a run: it has neither pipeline.toml nor a folder for each stage with "
        "stage.json, as `kindred run` and `kindred train` write them");
  }
  read_costs(run);
  read_warnings(run);
  read_images(run);
  return run;
}

}  // namespace kindred::report
