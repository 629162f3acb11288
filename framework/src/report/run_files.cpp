#include "report/run_files.h"

#include <algorithm>

#include "kindred/core/error.h"
#include "kindred/text/csv.h"
#include "recipe/toml_reader.h"
#include "report/json_file.h"
#include "report/number_text.h"
#include "report/read_text.h"

namespace kindred::report {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& file) {
  std::error_code failure;
  return fs::exists(file, failure);
}

/// The entries of a folder, by name.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

EmbeddingFiles read_embedding_files(const fs::path& folder) {
  EmbeddingFiles files;
  for (const auto* name : {"query.csv", "gallery.csv", "train.csv"}) {
    if (is_there(folder / name)) files.tables.push_back(folder / name);
  }
  return files;
}

std::vector<PartitionFiles::Domain> read_domains(const fs::path& file) {
  const auto json = read_json(file);
  const auto list = json.find("domains");
  if (list == json.end() || !list->is_array()) throw DataError(file, "has no list 'domains'");
  std::vector<PartitionFiles::Domain> domains;
  for (const auto& entry : *list) {
    const auto name = text_at(entry, "name");
    const auto images = number_at(entry, "images");
    if (!name || !images) throw DataError(file, "has a domain without 'name' or 'images'");
    domains.push_back({*name, *images});
  }
  return domains;
}

LabelFiles::Figures read_label_figures(const fs::path& file) {
  LabelFiles::Figures figures;
  const auto json = read_json(file);
  for (const auto& [key, value] : json.items()) {
    if (value.is_number()) figures.all.emplace_back(key, number_text(value.get<double>()));
    if (value.is_string()) figures.all.emplace_back(key, value.get<std::string>());
  }
  const auto left_out = json.find("left_out");
  if (left_out == json.end() || !left_out->is_array()) return figures;
  for (const auto& entry : *left_out) {
    const auto reason = text_at(entry, "reason");
    const auto images = number_at(entry, "images");
    if (reason && images) figures.left_out.emplace_back(*reason, *images);
  }
  return figures;
}

std::vector<double> read_cluster_sizes(const fs::path& file) {
  CsvReader reader(file);
  const auto identity = reader.table().column("identity");
  std::map<std::string, double> sizes;
  for (CsvRow row; reader.next(row);) {
    if (!row.cells[identity].empty()) ++sizes[row.cells[identity]];
  }
  std::vector<double> all;
  for (const auto& [name, size] : sizes) all.push_back(size);
  return all;
}

LabelFiles read_label_files(const fs::path& folder) {
  LabelFiles files;
  files.figures = read_piece(folder / "labels.json", read_label_figures);
  files.cluster_sizes = read_piece(folder / "labels.csv", read_cluster_sizes);
  if (is_there(folder / "labels.png")) files.sheet = folder / "labels.png";
  return files;
}

OtherFiles read_other_files(const fs::path& folder) {
  OtherFiles files;
  for (const auto& entry : entries_of(folder)) {
    std::error_code failure;
    const auto size = fs::file_size(entry, failure);
    if (!failure && entry.filename() != "stage.json") files.files.emplace_back(entry.filename(), size);
  }
  return files;
}

void read_files(RunStage& stage) {
  if (stage.type == "train") {
    stage.files = read_training_files(stage.folder);
  } else if (stage.type == "embed") {
    stage.files = read_embedding_files(stage.folder);
  } else if (stage.type == "partition") {
    stage.files = PartitionFiles{read_piece(stage.folder / "partition.json", read_domains)};
  } else if (stage.type == "label") {
    stage.files = read_label_files(stage.folder);
  } else if (stage.type == "rank") {
    stage.files = read_ranking_files(stage.folder, stage.folder / "matches.csv");
  } else {
    stage.files = read_other_files(stage.folder);
  }
}

/// Takes what an entry of costs.json or stage.json says.
void add_cost(const nlohmann::ordered_json& entry, ReportedCost& cost) {
  const auto add = [&](const char* key, std::optional<double>& figure) {
    if (const auto number = number_at(entry, key)) figure = *number;
  };
  add("seconds", cost.seconds);
  add("images", cost.images);
  add("images_per_second", cost.images_per_second);
  add("peak_memory_mib", cost.peak_memory_mib);
}

void read_stage_json(RunStage& stage) {
  const auto file = stage.folder / "stage.json";
  const auto piece = read_piece(file, [](const fs::path& path) { return read_json(path); });
  stage.trouble = piece.trouble;
  if (!piece.value) return;
  const auto& json = *piece.value;
  stage.finished = true;
  stage.finished_at = text_at(json, "finished").value_or("");
  if (const auto type = text_at(json, "type")) stage.type = *type;
  if (const auto cost = json.find("cost"); cost != json.end()) add_cost(*cost, stage.cost);
  const auto inputs = json.find("inputs");
  if (inputs == json.end() || !inputs->is_object()) return;
  for (const auto& [key, names] : inputs->items()) {
    for (const auto& name : names.is_array() ? names : nlohmann::ordered_json::array({names})) {
      if (!name.is_string()) continue;
      const auto text = name.get<std::string>();
      if (std::find(stage.inputs.begin(), stage.inputs.end(), text) == stage.inputs.end()) {
        stage.inputs.push_back(text);
      }
    }
  }
}

/// Name and type of each [[stage]] of a pipeline; none when the text cannot be read as TOML.
std::vector<RunStage> planned_stages(const Piece<std::string>& recipe, const fs::path& folder) {
  std::vector<RunStage> stages;
  if (!recipe.value) return stages;
  Value value;
  try {
    value = recipe::parse_toml(*recipe.value, "pipeline.toml");
  } catch (const RecipeError&) {
    return stages;
  }
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
    stage.folder = folder / stage.name;
    // A stage lies in a folder of the run, wherever a name may point.
    const bool plain =
        fs::path(stage.name).filename() == stage.name && stage.name != "." && stage.name != "..";
    if (!stage.name.empty() && plain) stages.push_back(std::move(stage));
  }
  return stages;
}

std::vector<RunStage> read_pipeline_stages(const RunFiles& run) {
  auto stages = planned_stages(run.recipe, run.folder);
  const auto planned = stages.size();
  for (const auto& entry : entries_of(run.folder)) {
    const auto name = entry.filename().string();
    const bool known =
        std::any_of(stages.begin(), stages.end(), [&](const RunStage& stage) { return stage.name == name; });
    if (known || !is_there(entry / "stage.json")) continue;
    RunStage stage;
    stage.name = name;
    stage.folder = entry;
    stages.push_back(std::move(stage));
  }
  for (auto& stage : stages) {
    read_stage_json(stage);
    read_files(stage);
  }
  // Those of which the recipe does not tell the place, in the order in which they ended.
  std::stable_sort(stages.begin() + static_cast<std::ptrdiff_t>(planned), stages.end(),
                   [](const RunStage& a, const RunStage& b) { return a.finished_at < b.finished_at; });
  return stages;
}

std::vector<RunStage> read_training_run_stages(const fs::path& folder) {
  std::vector<RunStage> stages;
  const auto add = [&](const char* type, const fs::path& at, auto files, bool finished) {
    RunStage stage;
    stage.name = stage.type = type;
    stage.folder = at;
    stage.finished = finished;
    stage.files = std::move(files);
    stages.push_back(std::move(stage));
  };
  auto training = read_training_files(folder);
  if (training.recipe.there() || training.environment.there() || training.metrics.there() || training.model) {
    const bool ended = training.model;
    add("train", folder, std::move(training), ended);
  }
  auto embedding = read_embedding_files(folder / "features");
  if (!embedding.tables.empty()) add("embed", folder / "features", std::move(embedding), true);
  auto ranking = read_ranking_files(folder, folder / "rankings" / "matches.csv");
  const bool ranked = is_there(ranking.matches);
  if (ranked || ranking.scores.there() || ranking.queries.there()) {
    add("rank", folder, std::move(ranking), ranked);
  }
  return stages;
}

/// costs.json says what stage.json does not; what neither says of a training, its metrics tell.
void read_costs(RunFiles& run) {
  const auto piece =
      read_piece(run.folder / "costs.json", [](const fs::path& file) { return read_json(file, true); });
  run.costs_trouble = piece.trouble;
  const auto read_list = [&](const nlohmann::ordered_json& list) {
    for (const auto& entry : list) {
      const auto name = text_at(entry, "stage");
      const auto stage = std::find_if(run.stages.begin(), run.stages.end(),
                                      [&](const RunStage& candidate) { return candidate.name == name; });
      if (stage != run.stages.end() && !stage->cost.seconds) add_cost(entry, stage->cost);
    }
  };
  if (piece.value && piece.value->is_array()) read_list(*piece.value);
  if (piece.value && piece.value->is_object()) {
    for (const auto& [key, value] : piece.value->items()) {
      if (value.is_array()) read_list(value);
    }
  }
  for (auto& stage : run.stages) {
    const auto* training = stage.holds<TrainingFiles>();
    if (training == nullptr || !training->metrics.value || stage.cost.seconds) continue;
    stage.cost.seconds = training->metrics.value->seconds;
    stage.cost.images_per_second = training->metrics.value->images_per_second;
    stage.cost.estimated = stage.cost.seconds.has_value();
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
    if (stage.folder != run.folder) add_log(stage.folder / "log.txt");
    if (training->metrics.value) add(training->metrics.value->warnings);
  }
}

void read_images(RunFiles& run) {
  for (const auto& stage : run.stages) {
    const auto* embedding = stage.holds<EmbeddingFiles>();
    if (embedding == nullptr) continue;
    for (const auto& table : embedding->tables) {
      try {
        add_images(table, run.images);
      } catch (const DataError& error) {
        run.image_troubles.emplace_back(error.what());
      }
    }
  }
}

}  // namespace

RunFiles read_run(const fs::path& folder) {
  std::error_code failure;
  if (!fs::exists(folder, failure))
    throw DataError(folder, "does not exist; give the folder of a run: runs/NAME");
  if (!fs::is_directory(folder, failure)) {
    throw DataError(folder, "is a file; give the folder of a run: runs/NAME");
  }
  RunFiles run;
  run.folder = folder;
  run.pipeline = is_there(folder / "pipeline.toml");
  run.recipe_file = folder / (run.pipeline ? "pipeline.toml" : "recipe.toml");
  run.recipe = read_piece(run.recipe_file, read_text);
  run.stages = run.pipeline ? read_pipeline_stages(run) : read_training_run_stages(folder);
  if (!run.pipeline && run.stages.empty()) {
    throw DataError(folder,
                    "is not the folder of a run: it has neither recipe.toml, metrics.jsonl, "
                    "rankings/matches.csv nor evaluation.json, as `kindred run` and `kindred train` write "
                    "them, nor pipeline.toml with a folder for each stage");
  }
  read_costs(run);
  read_warnings(run);
  read_images(run);
  return run;
}

}  // namespace kindred::report
