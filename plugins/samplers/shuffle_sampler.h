// Every image once an epoch, in random order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/role/sampler.h"

namespace kindred::samplers {

class ShuffleSampler final : public Sampler {
 public:
  struct Params {
    std::int64_t batch_size = 64;
    bool drop_last = true;
  };
  static Schema<Params> schema();

  /// Throws ComponentError when there are no images, with drop_last when not even one batch can be filled,
  /// and without it when a single image is left for the last batch.
  ShuffleSampler(const Params& params, const Context& context);
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override;

 private:
  std::size_t batch_size_;
  bool drop_last_;
  std::size_t count_;
};

}  // namespace kindred::samplers
