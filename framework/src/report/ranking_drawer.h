// Draws rankings of a stage, as many of them as are asked for.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "report/blocks.h"
#include "report/map_pictures.h"
#include "report/pictures.h"
#include "report/ranking_sheet.h"
#include "report/run_files.h"
#include "results/judged_ranking.h"

namespace kindred::report {

/// What heads the paths of a run, and what heads them where its pictures are.
struct RenamedFolder {
  std::string own;
  std::string of_pictures;
};

class RankingDrawer {
 public:
  /// @param files of a ranking of the run
  /// @param maps nullptr: without activation maps
  /// All but the folder outlive this.
  RankingDrawer(const RunFiles& run, const RankingFiles& files, Pictures& pictures, MapPictures* maps,
                RenamedFolder folder = {})
      : run_(run), files_(files), pictures_(pictures), maps_(maps), folder_(std::move(folder)) {}

  /// Reads what was found for queries.
  /// @return what is wrong with the file; ""
  [[nodiscard]] std::string read(const std::vector<std::string>& queries);

  /// One of the queries that were read, with what was found; nothing when there is nothing.
  /// @param figures what metrics say of the query, or ""
  [[nodiscard]] Html draw(const std::string& query, const std::string& figures);

  [[nodiscard]] std::size_t drawn() const { return drawn_; }
  /// What the marks, figures and maps of the rankings that were drawn mean.
  [[nodiscard]] Html key() const;

 private:
  [[nodiscard]] results::IgnoredImages ignored() const;
  /// What `pictures` calls an image of the run.
  [[nodiscard]] std::string picture_path(const std::string& path) const;

  const RunFiles& run_;
  const RankingFiles& files_;
  Pictures& pictures_;
  MapPictures* maps_;
  RenamedFolder folder_;
  std::map<std::string, results::QueryMatches> rankings_;
  std::size_t drawn_ = 0;
  bool marked_ = false;  // an image was said to be right or wrong
};

/// "AP 25.00 % · first right image at rank 2 · 1 right image in the gallery"; "" of one that was not judged.
[[nodiscard]] std::string query_text(const results::QueryTable& queries, std::size_t place);

}  // namespace kindred::report
