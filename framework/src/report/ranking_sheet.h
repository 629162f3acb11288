// Queries beside the gallery images that were found for them.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "report/html.h"
#include "report/pictures.h"
#include "report/ranking_files.h"

namespace kindred::report {

/// How many queries of each kind are shown.
struct SheetSize {
  std::size_t worst = 12;
  std::size_t middle = 6;
  std::size_t best = 6;
};

/// Places of judged queries in the list they were chosen from, none twice.
struct ChosenQueries {
  std::vector<std::size_t> worst;   ///< the lowest AP first
  std::vector<std::size_t> middle;  ///< around the median, ascending
  std::vector<std::size_t> best;    ///< the highest AP first
};

/// Of equal APs the earlier query is the lower one. When there are fewer queries than wanted the worst come
/// first, then the best.
[[nodiscard]] ChosenQueries choose_queries(const std::vector<JudgedQuery>& queries, const SheetSize& size);

/// So many of `count` places, evenly spread, in order.
[[nodiscard]] std::vector<std::size_t> spread(std::size_t count, std::size_t wanted);

enum class Verdict { right, wrong, unknown };

/// The best images that evaluation counts.
struct JudgedRanking {
  struct Image {
    std::size_t found = 0;  ///< its place in QueryRanking::found
    Verdict verdict = Verdict::unknown;
  };
  std::vector<Image> images;
  /// Before the last of them: images that evaluation leaves out, of the query's own identity and camera, and
  /// junk.
  std::size_t left_out = 0;
};

/// @param images what is known of images by path: identities and cameras
/// @param cameras_known whether evaluation leaves out images of the query's identity and camera
[[nodiscard]] JudgedRanking judge_ranking(const QueryRanking& ranking,
                                          const std::map<std::string, Sample, std::less<>>& images,
                                          bool cameras_known, std::size_t top);

/// The query and the images that were found for it, right and wrong marked by colour and sign.
/// @param judged what is said of its score; nullptr when it has none
[[nodiscard]] Html draw_ranking(const QueryRanking& ranking, const JudgedRanking& verdicts,
                                const JudgedQuery* judged,
                                const std::map<std::string, Sample, std::less<>>& images, Pictures& pictures);

}  // namespace kindred::report
