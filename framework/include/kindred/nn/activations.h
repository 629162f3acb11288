// What flows from one part of a network to the next.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>

#include "kindred/core/export.h"
#include "kindred/nn/feature_form.h"

namespace kindred {

/// Where the tokens of a transformer stand in the image.
struct KINDRED_API TokenGrid {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t extra = 1;  ///< tokens ahead of the grid's: the class token and others that are of no place
};

/// The values of a layer for a batch of N images, and what is known of the images. Parts of a network that
/// know nothing of grids and cameras are TensorModules and see the values alone; the rest travels past them.
struct KINDRED_API Activations {
  Activations() = default;
  /// Images or a map, without more.
  Activations(torch::Tensor images_or_map);  // NOLINT(google-explicit-constructor): a tensor is one

  torch::Tensor values;           ///< images [N, 3, H, W], a map [N, C, h, w] or tokens [N, T, C]
  std::optional<TokenGrid> grid;  ///< of tokens: T = extra + rows columns; absent: images or a map
  /// [N], int64, on the device of the values: places of the images' cameras among those of the training, in
  /// the order of their numbers; -1: a camera that it did not have, or unknown. Undefined unless the backbone
  /// uses them (Backbone::side_information()).
  torch::Tensor cameras;
  torch::Tensor views;  ///< the same for viewpoints

  [[nodiscard]] FeatureForm form() const { return grid ? FeatureForm::tokens : FeatureForm::map; }
  /// [N, C, h, w]: the map, or the tokens of the grid in their places. Throws ComponentError when the values
  /// are no map and the grid is not of their size.
  [[nodiscard]] torch::Tensor map() const;
  /// [N, C]: the first token. Throws ComponentError when the values are a map, or there is none.
  [[nodiscard]] torch::Tensor class_token() const;
  /// Other values of the same images in the same grid.
  [[nodiscard]] Activations with(torch::Tensor other_values) const;
};

}  // namespace kindred
