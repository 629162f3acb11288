// The outputs of a batch whose images several ranks have worked on, for losses that look at all of it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "system/ranks.h"

namespace kindred::training {

/// Each rank computes the losses on the outputs of all ranks, and goes on backwards with its own rows' share
/// of the gradients: together that is the backward pass of the whole batch, whatever the losses are.
class GatheredOutputs {
 public:
  /// @param own of this rank's images, [N, ...], as the network gave them
  /// @param rows_by_rank their numbers on all ranks
  GatheredOutputs(const system::Ranks& ranks, std::vector<torch::Tensor> own,
                  const std::vector<std::int64_t>& rows_by_rank);

  /// Rows of rank 0, then of rank 1, ...: leaves that wait for gradients where `own` did.
  [[nodiscard]] const std::vector<torch::Tensor>& all() const { return all_; }

  /// Goes on from what the losses have given to all().
  void backward();

 private:
  std::vector<torch::Tensor> own_;
  std::vector<torch::Tensor> all_;
  std::int64_t first_;  ///< row of this rank
};

}  // namespace kindred::training
