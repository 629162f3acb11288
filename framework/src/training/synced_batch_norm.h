// Batch normalization with the statistics of all ranks.
#pragma once

#include "api/nn/fused_norm.h"
#include "system/ranks.h"

namespace kindred::training {

/// While one lives, every batch normalization in training, whichever plugin calls it, uses mean and variance
/// of the batch of all ranks, and its gradients are those of that batch. All ranks must compute the same
/// normalizations in the same order. Instance normalizations, which LibTorch computes as batch normalizations
/// of a batch of one image, stay what they are. One at a time.
class SyncedBatchNorm {
 public:
  /// @param ranks must outlive it
  explicit SyncedBatchNorm(const system::Ranks& ranks);
  ~SyncedBatchNorm();
  SyncedBatchNorm(const SyncedBatchNorm&) = delete;
  SyncedBatchNorm& operator=(const SyncedBatchNorm&) = delete;

 private:
  UnfusedNorms unfused_;
};

}  // namespace kindred::training
