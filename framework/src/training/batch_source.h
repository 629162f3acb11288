// Which images a training learns from, batch by batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kindred/role/sampler.h"
#include "recipe/plan.h"
#include "training/training_data.h"

namespace kindred::training {

/// The recipe's sampler: one for all training images or, where data sets have shares, one for each data set,
/// whose batches are put together (shared_batches.h).
class BatchSource {
 public:
  /// `plan` and `data` must outlive it. Throws as the sampler does, of several data sets with the name of the
  /// one that does not suit it.
  BatchSource(const recipe::Plan& plan, const TrainingData& data);

  /// Indices into the training images. Depends on the plan, the data and the epoch, counted from 1, alone.
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch) const;

  /// What the shares come to in the first epoch, for the log; "" without shares.
  [[nodiscard]] std::string shares_text() const;

 private:
  struct Part {
    std::string name;  ///< of the data set
    double share;
    std::vector<std::size_t> images;  ///< indices into the training images
    std::unique_ptr<Sampler> sampler;
  };

  const recipe::Plan& plan_;
  const TrainingData& data_;
  std::unique_ptr<Sampler> whole_;  ///< without shares
  std::vector<Part> parts_;         ///< else
};

}  // namespace kindred::training
