// Command "export": a trained model as a file of other programs, compared with the model on the spot.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "progress/progress.h"

namespace kindred::command {

struct ExportRequest {
  std::filesystem::path model;          ///< model file
  std::string format;                   ///< an exporter
  std::filesystem::path out;            ///< file that does not exist
  std::optional<std::int64_t> batch{};  ///< absent: any number of images
  bool half = false;
  bool with_preprocessing = false;
  std::filesystem::path images{};        ///< folder or image to compare on; empty: random ones
  std::vector<std::string> overrides{};  ///< of the model's recipe, and of the exporter's table
  std::string python = "python3";        ///< for runtimes that are packages of Python
};

struct ExportOutcome {
  std::uintmax_t bytes = 0;
  std::string shapes;       ///< "images [batch, 3, 256, 128] float32 -> output [batch, 2048] float32"
  std::string preparation;  ///< what to do with an image ahead of the model; "" when the file does it
  std::string runtime;      ///< that computed the same
  std::string why_not;      ///< there was no runtime to compare with; "" when there was
  std::int64_t images = 0;  ///< compared
  bool are_random = true;   ///< the images were random
  double least_cosine = 1;
  double largest_difference = 0;
  std::vector<std::pair<std::string, std::string>> about;  ///< the file's metadata
};

/// Writes the file only when its runtime gives the model's descriptors, or is not there. Throws DataError
/// when the file exists, and Error for a model that cannot be exported as asked, or that gives others.
[[nodiscard]] ExportOutcome export_model(const ExportRequest& request, const Catalog& catalog,
                                         progress::ProgressSink& progress);

}  // namespace kindred::command
