// Who and what the training data hold, as far as networks depend on it.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/nn/activations.h"
#include "kindred/role/backbone.h"

namespace kindred::model {

/// A camera that was trained with.
struct Camera {
  /// Of a training on one data set.
  Camera(std::int64_t its_number);  // NOLINT(google-explicit-constructor): there its number is all of it
  Camera(std::string its_dataset, std::int64_t its_number);

  std::string dataset;  ///< that numbers it, where the training was on several; else ""
  std::int64_t number;

  bool operator==(const Camera&) const = default;
  /// "3", or "market/3".
  [[nodiscard]] std::string text() const;
};

struct Population {
  /// Cameras and views are not told apart.
  Population(std::int64_t identities);  // NOLINT(google-explicit-constructor): most networks need no more

  std::int64_t identities;          ///< classes
  std::vector<Camera> cameras;      ///< places in this list are what networks see
  std::vector<std::int64_t> views;  ///< their numbers, ascending, likewise
  /// The data set whose cameras images have, where `cameras` are of several; "": it is not known. Absent:
  /// that whose name heads the path of an image, NAME/PATH.
  std::optional<std::string> dataset;

  [[nodiscard]] bool has_cameras_of_several() const {
    return !cameras.empty() && !cameras.front().dataset.empty();
  }
};

/// What these samples have of cameras and views.
/// @param of_several whether they are of several data sets, whose names head their paths; camera 1 of one is
/// then not camera 1 of another
[[nodiscard]] Population population_of(const std::vector<Sample>& samples, std::int64_t identities,
                                       bool of_several = false);

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
