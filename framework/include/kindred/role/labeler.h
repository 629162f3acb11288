// Role "labeler": new identities for unlabelled images ("pseudo labels"), from their descriptors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/sample.h"
#include "kindred/search/retrieval.h"

namespace kindred {

struct PseudoLabels {
  /// Some images that got no identity, and why: "in no cluster".
  struct LeftOut {
    std::string reason;
    std::int64_t images = 0;
  };

  /// For each row of the descriptors, queries first: its identity, from 0 without a gap in the order of their
  /// first rows, or unlabelled_identity.
  std::vector<std::int64_t> identities;
  std::vector<LeftOut> left_out;  ///< all that have none, each counted once
};

class KINDRED_API Labeler {
 public:
  using Role = Labeler;
  using Handle = std::unique_ptr<Labeler>;
  static constexpr std::string_view role_name = "labeler";
  struct Context {};

  virtual ~Labeler();

  /// The result depends on the descriptors and the parameters alone. The descriptors are finite and of length
  /// 1; distances are not set. Throws ComponentError for parameters that do not fit the images.
  [[nodiscard]] virtual PseudoLabels label(const Retrieval& images, RetrievalHost& host) const = 0;
};

}  // namespace kindred
