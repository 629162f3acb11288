// What lies in the folder of a run, of one training or of a pipeline: read as far as it can be read.
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
#include "report/piece.h"
#include "report/ranking_files.h"
#include "report/training_files.h"

namespace kindred::report {

/// What a stage took; what nobody has measured is missing.
struct ReportedCost {
  std::optional<double> seconds;
  std::optional<double> images;
  std::optional<double> images_per_second;
  std::optional<double> peak_memory_mib;
  bool estimated = false;  ///< from the metrics of the training (TrainingMetrics::seconds)
};

struct EmbeddingFiles {
  std::vector<std::filesystem::path> tables;  ///< query.csv, gallery.csv, train.csv: those that are there
};

/// domains.csv and partition.json.
struct PartitionFiles {
  struct Domain {
    std::string name;
    double images = 0;
  };
  Piece<std::vector<Domain>> domains;
};

/// labels.csv, labels.json and labels.png.
struct LabelFiles {
  struct Figures {
    /// Each number and text of labels.json, in its order: {"identities", "123"}, {"precision", "0.953"}.
    std::vector<std::pair<std::string, std::string>> all;
    std::vector<std::pair<std::string, double>> left_out;  ///< reason, images
  };
  Piece<Figures> figures;
  Piece<std::vector<double>> cluster_sizes;  ///< images of each identity of labels.csv
  std::filesystem::path sheet;               ///< empty when there is none
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
  std::string trouble;              ///< of stage.json
  std::vector<std::string> inputs;  ///< names of stages
  ReportedCost cost;
  std::variant<OtherFiles, TrainingFiles, EmbeddingFiles, PartitionFiles, LabelFiles, RankingFiles> files;

  template <class Files>
  [[nodiscard]] const Files* holds() const {
    return std::get_if<Files>(&files);
  }
};

struct RunFiles {
  std::filesystem::path folder;
  bool pipeline = false;
  std::filesystem::path recipe_file;  ///< pipeline.toml, or recipe.toml
  Piece<std::string> recipe;
  /// In the order in which they run. A run of one training has "train", "embed" and "rank", those of which
  /// there is anything.
  std::vector<RunStage> stages;
  std::string costs_trouble;          ///< of costs.json
  std::vector<std::string> warnings;  ///< of logs and trainings, each once
  std::string log_trouble;
  std::map<std::string, Sample, std::less<>> images;  ///< what the descriptors' tables say of each image
  std::vector<std::string> image_troubles;
};

/// Reads the folder of a run. Throws DataError when there is no such folder or it is none of a run.
///
/// A pipeline is a folder with pipeline.toml, whose [[stage]] entries say the order, and a folder with
/// stage.json for each finished stage. Any other run is one training's: recipe.toml, metrics.jsonl, features,
/// rankings, evaluation.json. Of all files any may be missing or damaged: the piece says so.
[[nodiscard]] RunFiles read_run(const std::filesystem::path& folder);

}  // namespace kindred::report
