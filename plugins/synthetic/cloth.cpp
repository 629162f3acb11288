#include "cloth.h"

#include <cmath>

namespace kindred::synthetic {
namespace {

bool odd_band(float position, float width) {
  return (static_cast<int>(std::floor(position / width)) & 1) != 0;
}

}  // namespace

float Cloth::hem() const {
  switch (who_.upper) {
    case Upper::coat:
      return 0.7F;
    case Upper::jacket:
      return 0.55F;
    default:
      return 0.53F;
  }
}

Color Cloth::fabric(Facing facing, float y) const {
  const float k = who_.pattern_scale;
  switch (who_.pattern) {
    case Pattern::hoops:
      return odd_band(y, 0.03F * k) ? who_.accent : who_.upper_color;
    case Pattern::stripes:
      return odd_band(facing.x + 4, 0.2F * k) ? who_.accent : who_.upper_color;
    case Pattern::checks: {
      const int lines = (odd_band(facing.x + 4, 0.26F * k) ? 1 : 0) + (odd_band(y, 0.034F * k) ? 1 : 0);
      return who_.upper_color.mixed(who_.accent, 0.5F * static_cast<float>(lines));
    }
    case Pattern::dots: {
      const float v = y / (0.045F * k);
      const float row = std::floor(v);
      const float u = facing.x / (0.34F * k) + ((static_cast<int>(row) & 1) != 0 ? 0.5F : 0.0F) + 8;
      const float du = u - std::floor(u) - 0.5F;
      const float dv = v - row - 0.5F;
      return du * du + dv * dv < 0.1F ? who_.accent : who_.upper_color;
    }
    case Pattern::two_tone:
      return y < 0.2F + 0.1F * k ? who_.upper_color : who_.accent;
    case Pattern::chest_logo:
      return facing.z > 0 && std::abs(facing.x) < 0.42F && std::abs(y - 0.275F) < 0.038F * k
                 ? who_.accent
                 : who_.upper_color;
    case Pattern::back_print:
      return facing.z < 0 && facing.x * facing.x + 130 * (y - 0.3F) * (y - 0.3F) < 0.3F * k
                 ? who_.accent
                 : who_.upper_color;
    case Pattern::plain:
      break;
  }
  return who_.upper_color;
}

Color Cloth::trunk(Facing facing, float y) const {
  if (who_.bag == Bag::backpack && facing.z > 0 && y < 0.4F && std::abs(std::abs(facing.x) - 0.56F) < 0.09F) {
    return who_.bag_color.scaled(0.8F);
  }
  if (who_.bag == Bag::shoulder_bag) {
    // From the shoulder across chest and back to the bag at the other side.
    const float line = static_cast<float>(who_.bag_side) * ((y - 0.19F) / 0.3F * 1.5F - 0.6F);
    if (y < 0.49F && std::abs(facing.x - line) < 0.085F) return who_.bag_color.scaled(0.75F);
  }
  // A jacket or coat is open over what is worn beneath; a neckline shows skin.
  const bool open = who_.upper == Upper::jacket || who_.upper == Upper::coat;
  if (open && facing.z > 0 && std::abs(facing.x) < 0.2F - 0.1F * (y - 0.16F) / 0.4F) {
    if (y < 0.5F) return y < 0.19F ? who_.skin : who_.inner;
    return who_.lower_color;
  }
  if (facing.z > 0 && y < 0.2F && std::abs(facing.x) < 0.34F - 5 * (y - 0.16F)) {
    const bool bare =
        who_.upper == Upper::t_shirt || who_.upper == Upper::tank_top || who_.upper == Upper::shirt;
    if (bare) return who_.skin;
  }
  if (who_.upper == Upper::tank_top && y < 0.21F && std::abs(facing.x) > 0.55F) return who_.skin;
  if (who_.upper == Upper::shirt && facing.z > 0 && std::abs(facing.x) < 0.035F)
    return fabric(facing, y).scaled(0.8F);
  return fabric(facing, y);
}

Color Cloth::sleeve(float y) const {
  const bool around = who_.pattern == Pattern::hoops || who_.pattern == Pattern::two_tone;
  if (around) return fabric({0, 1}, y);
  if (who_.pattern == Pattern::checks) return fabric({0.1F, 1}, y);
  return who_.upper_color;
}

}  // namespace kindred::synthetic
