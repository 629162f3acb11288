// Role "post_processor": processes descriptors and distances between the network and the ranking.
#pragma once

#include <memory>
#include <string_view>

#include "kindred/core/export.h"
#include "kindred/search/retrieval.h"

namespace kindred {

/// The post-processors of a recipe are applied in the order in which they are written: first those that
/// change descriptors, then at most one that computes distances, then those that change distances.
class KINDRED_API PostProcessor {
 public:
  using Role = PostProcessor;
  using Handle = std::unique_ptr<PostProcessor>;
  static constexpr std::string_view role_name = "post_processor";
  struct Context {};

  /// What a post-processor takes and returns.
  enum class Step {
    descriptors,           ///< descriptors -> descriptors
    distances,             ///< descriptors -> distances
    changes_of_distances,  ///< distances (by default the cosine distances) -> distances
  };

  virtual ~PostProcessor();

  [[nodiscard]] virtual Step step() const = 0;

  /// Step::descriptors changes or replaces Retrieval::descriptors and keeps the number of rows; the others
  /// set Retrieval::distances, which is already set for Step::changes_of_distances. The descriptors passed in
  /// are finite and none has length 0. Distances may refer to the descriptors and the host; both live as long
  /// as the distances are used. Throws ComponentError for parameters that do not suit the search.
  virtual void apply(Retrieval& retrieval, RetrievalHost& host) const = 0;
};

}  // namespace kindred
