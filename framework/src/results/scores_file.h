// scores.json and scores.md: what the rankings of a run have reached.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/evaluation.h"
#include "text/text_table.h"

namespace kindred::results {

/// scores.json is a list; an entry has stage, ranked_by and then what evaluation_json() gives of that
/// ranking.
struct ScoresFile {
  static constexpr const char* name = "scores.json";

  struct Ranking {
    std::string stage;
    std::string ranked_by;  ///< "descriptors" or "post-processed"
    Evaluation scores;
  };
  std::vector<Ranking> rankings;  ///< in the order in which they were made

  /// For people: a row a ranking with the listed figures, shares in per cent.
  [[nodiscard]] text::TextTable table() const;

  /// Throws DataError when the file cannot be read or is damaged.
  [[nodiscard]] static ScoresFile read(const std::filesystem::path& file);
  /// Writes the file and, beside it, the table as Markdown: the same name with the ending .md. Each is
  /// atomic.
  void write(const std::filesystem::path& file) const;
};

}  // namespace kindred::results
