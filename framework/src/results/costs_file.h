// costs.json and costs.md: what the stages of a run took.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/stage_record.h"
#include "text/text_table.h"

namespace kindred::results {

/// costs.json is an object with stages, a list of stage, type, seconds, images, images_per_second and
/// peak_memory_mib, and total (seconds, peak_memory_mib), which follows from it.
struct CostsFile {
  static constexpr const char* name = "costs.json";

  struct Stage {
    std::string name;
    std::string type;
    StageCost cost;
  };
  std::vector<Stage> stages;  ///< in the order in which they ran

  /// The seconds of all together and the largest memory of any.
  [[nodiscard]] StageCost total() const;
  /// For people: a row a stage, and one of the total.
  [[nodiscard]] text::TextTable table() const;

  /// Throws DataError when the file cannot be read or is damaged.
  [[nodiscard]] static CostsFile read(const std::filesystem::path& file);
  /// Writes the file and, beside it, the table as Markdown: the same name with the ending .md. Each is
  /// atomic.
  void write(const std::filesystem::path& file) const;
};

}  // namespace kindred::results
