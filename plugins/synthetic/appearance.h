// What a person looks like: all that stays the same from camera to camera.
#pragma once

#include <cstdint>

#include "canvas.h"
#include "kindred/core/random.h"

namespace kindred::synthetic {

enum class Hair { bald, cropped, bob, long_hair, ponytail, bun, cap, beanie };
enum class Upper { tank_top, t_shirt, shirt, hoodie, jacket, coat };
enum class Lower { trousers, slim, shorts, skirt, long_skirt };
enum class Pattern { plain, hoops, stripes, checks, dots, two_tone, chest_logo, back_print };
enum class Bag { none, backpack, shoulder_bag, handbag };

/// Colors are those under neutral light. Lengths are factors on an average body.
struct Appearance {
  float girth = 1, shoulders = 1, hips = 1, head = 1, legs = 1;
  Color skin, hair_color, hat;
  Hair hair = Hair::cropped;
  bool beard = false;
  bool scarf = false;
  Color scarf_color;

  Upper upper = Upper::t_shirt;
  Pattern pattern = Pattern::plain;
  float pattern_scale = 1;
  Color upper_color, accent, inner;

  Lower lower = Lower::trousers;
  bool side_stripe = false;
  Color lower_color, stripe_color;

  bool boots = false;
  Color shoes;

  Bag bag = Bag::none;
  int bag_side = 1;  ///< -1 or 1: at which side a shoulder bag or handbag hangs
  Color bag_color;
};

/// Draws a person. People of one family are lookalikes with the probability `likeness`: they wear what the
/// family wears but for one or two things.
[[nodiscard]] Appearance draw_appearance(std::uint64_t seed, std::uint64_t family, std::uint64_t member,
                                         double likeness);

}  // namespace kindred::synthetic
