// Role "post_processor": what is done with descriptors between the network and the ranking.
#pragma once

#include <memory>
#include <string_view>

#include "kindred/core/export.h"
#include "kindred/search/retrieval.h"

namespace kindred {

/// A recipe's post-processors are applied in the order in which they are written. First come those that
/// change descriptors, then at most one that makes distances of them, then those that change distances.
class KINDRED_API PostProcessor {
 public:
  using Role = PostProcessor;
  using Handle = std::unique_ptr<PostProcessor>;
  static constexpr std::string_view role_name = "post_processor";
  struct Context {};

  /// What a step makes of what.
  enum class Step {
    descriptors,           ///< descriptors of descriptors
    distances,             ///< distances of descriptors
    changes_of_distances,  ///< distances of distances, or of what the cosine gives
  };

  virtual ~PostProcessor();

  [[nodiscard]] virtual Step step() const = 0;

  /// Step::descriptors changes or replaces Retrieval::descriptors, keeping the number of rows; the others set
  /// Retrieval::distances. For Step::changes_of_distances it is set already. The descriptors handed in are
  /// finite and none has the length 0. Distances may keep the descriptors and the host; both live as long as
  /// the distances are used. Throws ComponentError for parameters that do not fit the search.
  virtual void apply(Retrieval& retrieval, RetrievalHost& host) const = 0;
};

}  // namespace kindred
