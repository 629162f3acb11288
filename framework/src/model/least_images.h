// Images that are too small for a network: what LibTorch says of them names neither their size nor another
// one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "kindred/nn/activations.h"
#include "recipe/guarded.h"

namespace kindred::model {

struct ImageExtent {
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool operator==(const ImageExtent&) const = default;
};

/// The smallest images that a network takes: found by running it.
/// @param run the network in evaluation mode; throws for images that it cannot take
/// @param images [N, 3, H, W], which it has refused
/// Returns nothing when they are not too small: it takes images of this size, no larger ones either, or those
/// of a smaller size.
[[nodiscard]] std::optional<ImageExtent> least_images(const std::function<void(const Activations&)>& run,
                                                      const Activations& images);

/// "backbone 'resnet' of plugin 'resnet' takes images of at least 33 x 33 pixels (height x width), and these
/// have 16 x 8; ..."
class ImagesTooSmall : public recipe::ComponentFault {
 public:
  ImagesTooSmall(const std::string& subject, ImageExtent least, ImageExtent given);
  ImagesTooSmall(const ImagesTooSmall&) = default;
  ~ImagesTooSmall() override;

  [[nodiscard]] ImageExtent least() const { return least_; }

 private:
  ImageExtent least_;
};

}  // namespace kindred::model
