#include "appearance.h"

#include <array>
#include <cstddef>
#include <numeric>

#include "streams.h"

namespace kindred::synthetic {
namespace {

struct Dye {
  Color color;
  int weight;
};

// Few colors, the sober ones often: as in a street, where most people wear black, gray or blue.
constexpr std::array<Dye, 14> cloth{{{{32, 32, 36}, 16},
                                     {{232, 232, 228}, 11},
                                     {{128, 130, 134}, 10},
                                     {{38, 48, 92}, 11},
                                     {{70, 108, 172}, 9},
                                     {{178, 40, 44}, 8},
                                     {{44, 104, 66}, 6},
                                     {{196, 172, 130}, 6},
                                     {{108, 72, 48}, 5},
                                     {{226, 190, 62}, 4},
                                     {{216, 128, 158}, 4},
                                     {{108, 66, 138}, 4},
                                     {{218, 118, 46}, 4},
                                     {{80, 170, 172}, 4}}};
constexpr std::array<Dye, 9> legwear{{{{34, 34, 40}, 20},
                                      {{50, 66, 108}, 20},
                                      {{98, 124, 164}, 10},
                                      {{104, 104, 108}, 12},
                                      {{184, 164, 128}, 9},
                                      {{94, 74, 54}, 7},
                                      {{222, 220, 214}, 5},
                                      {{84, 96, 62}, 6},
                                      {{130, 40, 54}, 4}}};
constexpr std::array<Dye, 6> footwear{{{{28, 28, 30}, 12},
                                       {{230, 230, 230}, 10},
                                       {{96, 64, 42}, 6},
                                       {{120, 122, 126}, 5},
                                       {{186, 44, 46}, 3},
                                       {{48, 72, 150}, 3}}};
constexpr std::array<Dye, 7> luggage{{{{30, 30, 34}, 10},
                                      {{44, 58, 112}, 6},
                                      {{124, 84, 52}, 7},
                                      {{180, 42, 46}, 5},
                                      {{112, 116, 120}, 5},
                                      {{52, 116, 78}, 4},
                                      {{224, 180, 60}, 3}}};
constexpr std::array<Dye, 5> skins{{{{244, 208, 180}, 8},
                                    {{226, 178, 144}, 9},
                                    {{196, 144, 108}, 6},
                                    {{148, 100, 70}, 5},
                                    {{98, 66, 48}, 4}}};
constexpr std::array<Dye, 6> hairs{{{{28, 24, 24}, 14},
                                    {{70, 46, 32}, 9},
                                    {{126, 82, 48}, 6},
                                    {{212, 176, 104}, 5},
                                    {{156, 66, 34}, 2},
                                    {{176, 174, 172}, 4}}};

template <std::size_t N>
std::size_t weighted(RandomStream& random, const std::array<int, N>& weights) {
  auto left = random.integer(0, std::accumulate(weights.begin(), weights.end(), 0) - 1);
  std::size_t i = 0;
  for (; left >= weights[i]; ++i) left -= weights[i];
  return i;
}

template <std::size_t N>
std::size_t dye(RandomStream& random, const std::array<Dye, N>& palette) {
  std::array<int, N> weights{};
  for (std::size_t i = 0; i < N; ++i) weights[i] = palette[i].weight;
  return weighted(random, weights);
}

/// Everything that can be named: what two lookalikes are compared by.
struct Outfit {
  std::size_t skin = 0, hair_color = 0, hair = 0, hat = 0;
  std::size_t upper = 0, upper_color = 0, pattern = 0, accent = 0;
  std::size_t lower = 0, lower_color = 0, shoes = 0, bag = 0, bag_color = 0;
};

void draw_head(RandomStream& random, Outfit& o) {
  o.hair = weighted(random, std::array{3, 30, 14, 18, 10, 6, 7, 5});
  o.hair_color = dye(random, hairs);
  o.hat = dye(random, cloth);
}

void draw_upper(RandomStream& random, Outfit& o) {
  o.upper = weighted(random, std::array{6, 32, 22, 14, 16, 10});
  o.upper_color = dye(random, cloth);
}

void draw_pattern(RandomStream& random, Outfit& o) {
  o.pattern = weighted(random, std::array{38, 11, 6, 8, 6, 11, 12, 8});
  do {
    o.accent = dye(random, cloth);
  } while (o.accent == o.upper_color);
}

void draw_lower(RandomStream& random, Outfit& o) {
  o.lower = weighted(random, std::array{38, 22, 18, 13, 9});
  o.lower_color = dye(random, legwear);
}

void draw_bag(RandomStream& random, Outfit& o) {
  o.bag = weighted(random, std::array{42, 26, 18, 14});
  o.bag_color = dye(random, luggage);
}

Outfit draw_outfit(RandomStream& random) {
  Outfit o;
  o.skin = dye(random, skins);
  o.shoes = dye(random, footwear);
  draw_head(random, o);
  draw_upper(random, o);
  draw_pattern(random, o);
  draw_lower(random, o);
  draw_bag(random, o);
  return o;
}

/// Changes one or two of the family's things, each so that the change shows. Members with different numbers
/// begin with different things, so that they differ from each other as well.
void vary(RandomStream& random, std::uint64_t member, Outfit& o) {
  const Outfit family = o;
  std::array<std::uint64_t, 2> things{member % 5, 0};
  things[1] = (things[0] + static_cast<std::uint64_t>(random.integer(1, 4))) % 5;
  const auto count = static_cast<std::size_t>(random.integer(1, 2));
  for (std::size_t i = 0; i < count; ++i) {
    switch (things[i]) {
      case 0:
        while (o.hair == family.hair) draw_head(random, o);
        break;
      case 1:
        while (o.upper_color == family.upper_color) draw_upper(random, o);
        break;
      case 2:
        while (o.pattern == family.pattern) draw_pattern(random, o);
        break;
      case 3:
        while (o.lower_color == family.lower_color) draw_lower(random, o);
        break;
      default:
        while (o.bag == family.bag) draw_bag(random, o);
    }
  }
  o.shoes = dye(random, footwear);
}

Color near(RandomStream& random, const Color& color) {
  const auto shift = [&random] { return static_cast<float>(random.uniform(-7, 7)); };
  const float light = shift();
  return {color.r + light + shift() / 3, color.g + light + shift() / 3, color.b + light + shift() / 3};
}

float factor(RandomStream& random, double low, double high) {
  return static_cast<float>(random.uniform(low, high));
}

}  // namespace

Appearance draw_appearance(std::uint64_t seed, std::uint64_t family, std::uint64_t member, double likeness) {
  RandomStream own(seed, {streams::person, member});
  Outfit o;
  if (own.chance(likeness)) {
    RandomStream shared(seed, {streams::family, family});
    o = draw_outfit(shared);
    vary(own, member, o);
  } else {
    o = draw_outfit(own);
  }

  Appearance a;
  a.girth = factor(own, 0.84, 1.2);
  a.shoulders = factor(own, 0.88, 1.1);
  a.hips = factor(own, 0.9, 1.12);
  a.head = factor(own, 0.94, 1.1);
  a.legs = factor(own, 0.96, 1.05);
  a.skin = near(own, skins[o.skin].color);
  a.hair_color = near(own, hairs[o.hair_color].color);
  a.hat = near(own, cloth[o.hat].color);
  a.hair = static_cast<Hair>(o.hair);
  a.beard = own.chance(0.5) && (a.hair == Hair::bald || (a.hair == Hair::cropped && own.chance(0.5)));

  a.upper = static_cast<Upper>(o.upper);
  a.pattern = static_cast<Pattern>(o.pattern);
  a.pattern_scale = factor(own, 0.8, 1.35);
  a.upper_color = near(own, cloth[o.upper_color].color);
  a.accent = near(own, cloth[o.accent].color);
  a.inner = near(own, cloth[dye(own, cloth)].color);
  const bool warm = a.upper == Upper::coat || a.upper == Upper::jacket;
  a.scarf = own.chance(warm ? 0.3 : 0.04);
  a.scarf_color = near(own, cloth[dye(own, cloth)].color);

  a.lower = static_cast<Lower>(o.lower);
  a.side_stripe = own.chance(0.15);
  a.lower_color = near(own, legwear[o.lower_color].color);
  a.stripe_color = near(own, cloth[dye(own, cloth)].color);
  a.boots = own.chance(0.2);
  a.shoes = near(own, footwear[o.shoes].color);

  a.bag = static_cast<Bag>(o.bag);
  a.bag_side = own.chance(0.5) ? 1 : -1;
  a.bag_color = near(own, luggage[o.bag_color].color);
  return a;
}

}  // namespace kindred::synthetic
