// Draws a person onto a canvas: a jointed body in three dimensions, seen from any side.
#pragma once

#include "appearance.h"
#include "canvas.h"

namespace kindred::synthetic {

/// How a person stands before the camera.
struct Pose {
  float yaw = 0;      ///< radians; 0 walks towards the camera, pi / 2 to the right, pi away from it
  float phase = 0;    ///< of the walk, radians
  float stride = 1;   ///< 0 stands, 1 walks briskly
  float bend = 0.3F;  ///< of the elbows, radians
};

/// Where in the picture, in crop units.
struct Placement {
  float x = 0.25F;       ///< between the feet
  float feet_y = 0.95F;  ///< where the soles stand
  float height = 0.88F;  ///< from the soles to the crown
  float pitch = 0.1F;    ///< how far the camera looks down: what is nearer lies lower by this share
};

/// Where the light comes from: -1 from the left to 1 from the right.
struct Light {
  float side = 0;
};

void draw_figure(Canvas& canvas, const Appearance& who, const Pose& pose, const Placement& placement,
                 const Light& light);

}  // namespace kindred::synthetic
