// What lies in the folder of a run: read as far as it can be read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/core/value.h"
#include "report/piece.h"
#include "report/ranking_files.h"
#include "report/training_files.h"
#include "results/domains_file.h"
#include "results/labels_file.h"
#include "results/stage_record.h"

namespace kindred::report {

struct EmbeddingFiles {
  std::vector<std::filesystem::path> tables;  ///< query.csv, gallery.csv, train.csv: those that are there
};

struct PartitionFiles {
  Piece<results::DomainsFile> domains;
};

struct LabelFiles {
  Piece<results::LabelsFile> labels;
  Piece<results::LabelFiguresFile> figures;
  std::filesystem::path sheet;  ///< labels.png; empty when there is none
};

/// A stage of which nothing is known but its files: name and size in bytes.
struct OtherFiles {
  std::vector<std::pair<std::string, std::uint64_t>> files;
};

struct RunStage {
  std::string name;
  std::string type;  ///< "train", "embed", ...; "" when nothing says it
  std::filesystem::path folder;
  bool finished = false;
  std::string finished_at;          ///< ISO 8601; "" when nothing says it
  std::string trouble;              ///< of stage.json or started.json, or of the folder
  std::vector<std::string> inputs;  ///< names of stages
  /// Of what was done so far when the stage has not ended; nothing when nobody has measured it.
  std::optional<results::StageCost> cost;
  std::filesystem::path weights;  ///< model file of a stage that takes none from another stage
  std::variant<OtherFiles, TrainingFiles, EmbeddingFiles, PartitionFiles, LabelFiles, RankingFiles> files;

  template <class Files>
  [[nodiscard]] const Files* holds() const {
    return std::get_if<Files>(&files);
  }
};

struct RunFiles {
  std::filesystem::path folder;
  std::filesystem::path recipe_file;  ///< pipeline.toml
  Piece<std::string> recipe;
  std::vector<RunStage> stages;  ///< in the order in which they run
  /// Names of stages that were made of other results than there are now of what they have read.
  std::vector<std::string> outdated;
  std::string costs_trouble;          ///< of costs.json
  std::vector<std::string> warnings;  ///< of logs and trainings, each once
  std::string log_trouble;
  std::map<std::string, Sample, std::less<>> images;  ///< what the descriptors' tables say of each image
  std::vector<std::string> image_troubles;

  /// nullptr when there is no such stage.
  [[nodiscard]] const RunStage* find(const std::string& name) const;
  /// The stages that rank.
  [[nodiscard]] std::vector<const RunStage*> rankings() const;
  /// The recipe as it can be read; an empty table for one that cannot.
  [[nodiscard]] Value recipe_value() const;
  /// A key of the recipe, as text; "" when it is not there.
  [[nodiscard]] std::string recipe_key(const char* key) const;
  /// What the recipe calls it, or else the folder's name.
  [[nodiscard]] std::string title() const;
};

/// Reads the folder of a run. Throws DataError when there is no such folder or it is none of a run.
///
/// A run is a folder with pipeline.toml, whose [[stage]] entries say the order, and a folder for each stage,
/// with stage.json when it has ended and started.json when it is under way. Of all files any may be missing
/// or damaged: the piece says so.
[[nodiscard]] RunFiles read_run(const std::filesystem::path& folder);

}  // namespace kindred::report
