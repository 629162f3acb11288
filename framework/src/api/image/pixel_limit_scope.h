// The limit of pixels of whoever reads images as one recipe says.
#pragma once

#include <cstdint>

#include "kindred/core/export.h"

namespace kindred {

/// While one lives, pixel_limit() (kindred/image/image.h) of this thread is another: a process may work with
/// several recipes at once, and none of them changes what an application has set for the process.
class KINDRED_API PixelLimitScope {
 public:
  /// @param pixels at least 1
  explicit PixelLimitScope(std::int64_t pixels);
  ~PixelLimitScope();
  PixelLimitScope(const PixelLimitScope&) = delete;
  PixelLimitScope& operator=(const PixelLimitScope&) = delete;

 private:
  std::int64_t before_;
};

}  // namespace kindred
