// The color of a garment at a place of the body.
#pragma once

#include "appearance.h"
#include "canvas.h"

namespace kindred::synthetic {

/// Where a point of the body's surface looks, as a unit vector: x to the person's side, z forward.
struct Facing {
  float x = 0, z = 0;
};

class Cloth {
 public:
  explicit Cloth(const Appearance& who) : who_(who) {}

  /// The trunk at height y, in statures from the crown; with the straps of a bag.
  [[nodiscard]] Color trunk(Facing facing, float y) const;
  /// A sleeve: hoops and blocks go on around the arm, other patterns do not.
  [[nodiscard]] Color sleeve(float y) const;
  /// Where the upper garment ends, in statures from the crown.
  [[nodiscard]] float hem() const;

 private:
  [[nodiscard]] Color fabric(Facing facing, float y) const;

  const Appearance& who_;
};

}  // namespace kindred::synthetic
