// Whether the images of a batch find others to be compared with, as losses of pairs and triplets need them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kindred/role/sampler.h"
#include "model/model.h"
#include "recipe/plan.h"

namespace kindred::training {

/// Of the images of a batch, those whose batch holds another image of their identity and one of another.
/// @param labels of the images of the batch
[[nodiscard]] std::int64_t anchors_with_pairs(const std::vector<std::int64_t>& labels);

/// The same of the images of several batches, as a share of all of them; 0 without images.
/// @param labels of all samples, which the batches are indices of
[[nodiscard]] double share_with_pairs(const std::vector<std::vector<std::size_t>>& batches,
                                      const std::vector<std::int64_t>& labels);

/// The batches of an epoch (from 1) of a plan's training.
[[nodiscard]] std::vector<std::vector<std::size_t>> batches_of(const recipe::Plan& plan,
                                                               const Sampler& sampler, std::int64_t epoch);

/// The batches of the first epoch without data: of made samples of many identities and cameras. None when the
/// sampler does not take these.
[[nodiscard]] std::vector<std::vector<std::size_t>> batches_without_data(const recipe::Plan& plan);

/// The names of the terms that need pairs, quoted: "'triplet(g1)' and 'circle(g2)'"; "" when none does.
[[nodiscard]] std::string terms_with_pairs(const std::vector<model::LossTerm>& terms);

/// Looks at the first epochs of a training whose terms need pairs. Returns a warning when fewer than half of
/// the images find pairs, else "". Throws RecipeError at the sampler when none does: the losses would be 0
/// for ever.
/// @param terms terms_with_pairs()
/// @param labels of the samples that the sampler was made for
[[nodiscard]] std::string check_pairs(const recipe::Plan& plan, const Sampler& sampler,
                                      const std::vector<std::int64_t>& labels, const std::string& terms);

/// The same without data, as batches_without_data(). Does nothing when the sampler does not take such
/// samples.
void check_pairs_without_data(const recipe::Plan& plan, const std::string& terms);

}  // namespace kindred::training
