// Role "labeler": assigns pseudo identities to unlabeled images, from their descriptors.
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
  /// A number of images without an identity, and why: "in no cluster".
  struct LeftOut {
    std::string reason;
    std::int64_t images = 0;
  };

  /// The identity of each row of the descriptors, queries first: numbered from 0 without gaps, in the order
  /// of first rows, or unlabeled_identity.
  std::vector<std::int64_t> identities;
  std::vector<LeftOut> left_out;  ///< all images without an identity, each counted once
};

class KINDRED_API Labeler {
 public:
  using Role = Labeler;
  using Handle = std::unique_ptr<Labeler>;
  static constexpr std::string_view role_name = "labeler";
  struct Context {};

  virtual ~Labeler();

  /// The result depends only on the descriptors and the parameters. The descriptors are finite and have
  /// length 1; distances are not set. Throws ComponentError for parameters that do not suit the images.
  [[nodiscard]] virtual PseudoLabels label(const Retrieval& images, RetrievalHost& host) const = 0;
};

}  // namespace kindred
