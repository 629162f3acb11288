// Who and what the training data hold, as far as networks depend on it.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/nn/activations.h"
#include "kindred/role/backbone.h"

namespace kindred::model {

struct Population {
  /// Cameras and views are not told apart.
  Population(std::int64_t identities);  // NOLINT(google-explicit-constructor): most networks need no more

  std::int64_t identities;            ///< classes
  std::vector<std::int64_t> cameras;  ///< their numbers, ascending; places in this list are what networks see
  std::vector<std::int64_t> views;    ///< likewise
};

/// What these samples have of cameras and views.
[[nodiscard]] Population population_of(const std::vector<Sample>& samples, std::int64_t identities);

/// The cameras of a batch as networks and losses see them, [N] int64 on the CPU: -1 where the population does
/// not have them.
[[nodiscard]] torch::Tensor camera_places(const std::vector<Sample>& samples,
                                          const std::vector<std::size_t>& batch,
                                          const Population& population);

/// A batch as a network takes it, on the CPU: a camera or view that the population does not have is -1.
/// @param images [N, 3, H, W]
/// @param batch N indices into `samples`
[[nodiscard]] Activations network_input(const torch::Tensor& images, const std::vector<Sample>& samples,
                                        const std::vector<std::size_t>& batch, const Population& population);

/// The same on a device, for a module that system::place_module() has placed.
[[nodiscard]] Activations placed(const Activations& input, torch::Device device);

/// Throws DataError for the first sample whose camera or view a network needs and does not know, with their
/// number and what to do.
/// @param user what uses them: "backbone 'vit' of plugin 'vit'"
void require_known(const SideInformation& needed, const std::string& user, const Population& population,
                   const std::vector<Sample>& samples);

}  // namespace kindred::model
