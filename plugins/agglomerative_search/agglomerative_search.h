// Pseudo labels as the competition system made them: clusters of queries, and the best images of each.
#pragma once

#include <cstdint>

#include "kindred/core/schema.h"
#include "kindred/role/labeler.h"
#include "kindred/search/nearest_rows.h"

namespace kindred::agglomerative_search {

/// 1. The queries are clustered by average linkage with the cosine distance (average_linkage.h), and of each
///    cluster the first query is kept.
/// 2. Each kept query, in order, walks its `top` nearest gallery images while their cosine similarity is
/// above
///    the threshold, and takes them. Conflicts::drop_later: an image that an earlier query has taken stays
///    with that one, also when that one is dropped in its turn, and the later query is dropped whole, with
///    the images that it was the first to take. Conflicts::nearest: the image goes to the most similar query,
///    of equally similar ones to the earlier one, and nobody is dropped.
/// 3. Every query that is left is an identity, with the images that are its own. A query without any is an
///    identity of one image, unless `min_images` asks for more.
class AgglomerativeSearch final : public Labeler {
 public:
  enum class Conflicts { drop_later, nearest };

  struct Params {
    double cut = 0.43;
    std::int64_t top = 100;
    double threshold = 0.82;
    Conflicts conflicts = Conflicts::drop_later;
    std::int64_t min_images = 1;
    SearchPrecision search = SearchPrecision::automatic;
  };
  static Schema<Params> schema();

  AgglomerativeSearch(const Params& params, const Context& context);
  [[nodiscard]] PseudoLabels label(const Retrieval& images, RetrievalHost& host) const override;

 private:
  Params params_;
};

}  // namespace kindred::agglomerative_search
