// Queries beside the gallery images that were found for them.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "report/pictures.h"
#include "results/judged_ranking.h"
#include "results/matches_file.h"
#include "text/html.h"

namespace kindred::report {

/// How many queries of each kind are shown.
struct SheetSize {
  std::size_t worst = 12;
  std::size_t middle = 6;
  std::size_t best = 6;
};

/// Places of judged queries in the list they were chosen from, none twice.
struct ChosenQueries {
  std::vector<std::size_t> worst;   ///< the lowest value first
  std::vector<std::size_t> middle;  ///< around the median, ascending
  std::vector<std::size_t> best;    ///< the highest value first
};

/// Of equal values the earlier query's is the lower one. When there are fewer queries than wanted the worst
/// come first, then the best.
/// @param values one for each query, such as its AP; NaN where it was not judged
[[nodiscard]] ChosenQueries choose_queries(const std::vector<double>& values, const SheetSize& size);

/// So many of `count` places, evenly spread, in order.
[[nodiscard]] std::vector<std::size_t> spread(std::size_t count, std::size_t wanted);

/// The query and the images that were found for it, right and wrong marked by color and sign.
/// @param figures what metrics say of the query, or ""
/// @param pictures of the query and of each of the verdicts' images
[[nodiscard]] text::Html draw_ranking(const results::QueryMatches& ranking,
                                      const results::JudgedRanking& verdicts, const std::string& figures,
                                      const std::map<std::string, Sample, std::less<>>& images,
                                      const std::vector<Picture>& pictures);

}  // namespace kindred::report
