// Role "sampler": chooses the training images of each batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/core/random.h"
#include "kindred/core/sample.h"

namespace kindred {

class KINDRED_API Sampler {
 public:
  using Role = Sampler;
  using Handle = std::unique_ptr<Sampler>;
  static constexpr std::string_view role_name = "sampler";

  struct Context {
    const std::vector<Sample>& samples;  ///< the training split; valid only during the constructor
  };

  virtual ~Sampler();

  /// The batches of an epoch: indices into Context::samples.
  /// @param epoch counted from 1
  /// @param random belongs to this epoch; the result depends only on it and on the epoch
  [[nodiscard]] virtual std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                                      RandomStream& random) const = 0;
};

}  // namespace kindred
