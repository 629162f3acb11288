// The sampler of a training, be its data one data set or several with shares.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kindred/role/sampler.h"
#include "recipe/plan.h"
#include "training/training_data.h"

namespace kindred::training {

/// The recipe's sampler for all training images. Where data sets have shares, a sampler that has one of the
/// recipe's for each data set and puts their batches together (shared_batches.h). Throws as the sampler does,
/// of several data sets with the name of the one that does not suit it.
/// @param data must outlive it
[[nodiscard]] std::unique_ptr<Sampler> create_sampler(const recipe::Plan& plan, const TrainingData& data);

/// What the shares come to in the batches of an epoch, for the log; "" without shares.
[[nodiscard]] std::string shares_text(const recipe::Plan& plan, const TrainingData& data,
                                      const std::vector<std::vector<std::size_t>>& batches);

}  // namespace kindred::training
