#include "figure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "cloth.h"

namespace kindred::synthetic {
namespace {

/// A point of the body: x to the person's side (the picture's right when seen from the front), y down from
/// the crown, z forward; in statures.
struct Joint {
  float x = 0, y = 0, z = 0;
};

struct Leg {
  Joint hip, knee, ankle;
};
struct Arm {
  Joint shoulder, elbow, hand;
};

struct Skeleton {
  std::array<Leg, 2> legs;  ///< side -1, side 1
  std::array<Arm, 2> arms;
};

Joint below(const Joint& from, float length, float angle, float outward) {
  return {from.x + outward, from.y + length * std::cos(angle), from.z + length * std::sin(angle)};
}

/// A skirt shortens the step, so that the legs stay inside.
float step(const Appearance& who, float stride) {
  if (who.lower == Lower::long_skirt) return std::min(stride, 0.4F);
  return who.lower == Lower::skirt ? std::min(stride, 0.75F) : stride;
}

Skeleton make_skeleton(const Appearance& who, const Pose& pose) {
  Skeleton skeleton;
  const float stride = step(who, pose.stride);
  float lowest = 0;
  for (int i = 0; i < 2; ++i) {
    const float side = i == 0 ? -1.0F : 1.0F;
    const float phase = pose.phase + (i == 0 ? 0.0F : 3.14159265F);
    const float swing = 0.44F * stride * std::sin(phase);
    const float bend = 0.75F * stride * std::max(0.0F, std::cos(phase)) + 0.03F;
    Leg& leg = skeleton.legs[static_cast<std::size_t>(i)];
    leg.hip = {side * 0.05F * who.hips, 0.51F, 0};
    leg.knee = below(leg.hip, 0.235F * who.legs, swing, side * 0.004F);
    leg.ankle = below(leg.knee, 0.22F * who.legs, swing - bend, 0);
    lowest = std::max(lowest, leg.ankle.y);

    Arm& arm = skeleton.arms[static_cast<std::size_t>(i)];
    const float back = -0.42F * stride * std::sin(phase);
    arm.shoulder = {side * 0.106F * who.shoulders, 0.215F, 0};
    arm.elbow = below(arm.shoulder, 0.155F, back - 0.05F, side * 0.022F * (0.6F + 0.4F * who.girth));
    arm.hand = below(arm.elbow, 0.15F, back + pose.bend, side * 0.008F);
  }
  // The lower ankle carries the body.
  const float drop = 0.962F - lowest;
  for (auto& leg : skeleton.legs) {
    for (Joint* joint : {&leg.hip, &leg.knee, &leg.ankle}) joint->y += drop;
  }
  for (auto& arm : skeleton.arms) {
    for (Joint* joint : {&arm.shoulder, &arm.elbow, &arm.hand}) joint->y += drop;
  }
  return skeleton;
}

class Painter {
 public:
  Painter(Canvas& canvas, const Appearance& who, const Pose& pose, const Placement& placement,
          const Light& light)
      : canvas_(canvas),
        who_(who),
        location_(placement),
        light_(light),
        cos_(std::cos(pose.yaw)),
        sin_(std::sin(pose.yaw)),
        skeleton_(make_skeleton(who, pose)),
        drop_(skeleton_.legs[0].hip.y - 0.51F) {}

  void draw() {
    // From the far to the near. The trunk lies at depth 0.
    struct Part {
      float depth;
      void (Painter::*draw)(int side);
      int side;
    };
    std::vector<Part> parts;
    for (int i = 0; i < 2; ++i) {
      const auto& leg = skeleton_.legs[static_cast<std::size_t>(i)];
      const auto& arm = skeleton_.arms[static_cast<std::size_t>(i)];
      // Legs are under the clothes of the trunk from every side.
      parts.push_back({-1 + 0.2F * depth(leg.knee), &Painter::draw_leg, i});
      parts.push_back({depth(arm.elbow) + 0.5F * depth(arm.hand) + 0.012F, &Painter::draw_arm, i});
    }
    parts.push_back({0, &Painter::draw_trunk, 0});
    if (who_.bag == Bag::backpack) parts.push_back({depth({0, 0, -0.11F}), &Painter::draw_backpack, 0});
    if (who_.bag == Bag::shoulder_bag) {
      parts.push_back({depth({bag_side() * 0.15F, 0, 0}) + 0.03F, &Painter::draw_shoulder_bag, 0});
    }
    const float hair_depth = cos_ > 0 ? -0.005F : 0.06F;
    parts.push_back({0.05F, &Painter::draw_head, 0});
    parts.push_back({hair_depth, &Painter::draw_back_hair, 0});
    std::stable_sort(parts.begin(), parts.end(),
                     [](const Part& a, const Part& b) { return a.depth < b.depth; });
    for (const auto& part : parts) (this->*part.draw)(part.side);
  }

 private:
  [[nodiscard]] float depth(const Joint& joint) const { return joint.z * cos_ - joint.x * sin_; }
  [[nodiscard]] Point project(const Joint& joint) const {
    return {location_.x + location_.height * (joint.x * cos_ + joint.z * sin_),
            location_.feet_y + location_.height * (joint.y - 1 + location_.pitch * depth(joint))};
  }
  [[nodiscard]] Joint trunk(float x, float y, float z) const { return {x, y + drop_, z}; }
  [[nodiscard]] float size(float statures) const { return statures * location_.height; }
  /// Half the width that an upright box or ellipse shows, from half its sides.
  [[nodiscard]] float breadth(float x, float z) const {
    return size(std::sqrt(x * x * cos_ * cos_ + z * z * sin_ * sin_));
  }
  [[nodiscard]] float bag_side() const { return static_cast<float>(who_.bag_side); }
  [[nodiscard]] float shade(float s) const { return 1.06F - 0.34F * s * s + 0.13F * s * light_.side; }
  [[nodiscard]] Color shaded(const Color& color, float s) const { return color.scaled(shade(s)); }
  /// Which way the body's surface looks at a place across it: the inverse of the projection.
  [[nodiscard]] Facing facing(float s) const {
    const float near = std::sqrt(std::max(0.0F, 1.0F - s * s));
    return {s * cos_ - near * sin_, s * sin_ + near * cos_};
  }

  void plain_limb(const Joint& a, float radius_a, const Joint& b, float radius_b, const Color& color) {
    canvas_.limb(project(a), size(radius_a), project(b), size(radius_b),
                 [&](float s, float) { return shaded(color, s); });
  }

  void draw_leg(int side);
  void draw_arm(int side);
  void draw_trunk(int side);
  void draw_head(int side);
  void draw_back_hair(int side);
  void draw_backpack(int side);
  void draw_shoulder_bag(int side);
  void draw_handbag(const Joint& hand);
  void draw_skirt();

  Canvas& canvas_;
  const Appearance& who_;
  const Placement& location_;
  const Light& light_;
  float cos_;
  float sin_;
  Skeleton skeleton_;
  float drop_;  ///< how far the stride lowers the trunk
};

void Painter::draw_leg(int side) {
  const Leg& leg = skeleton_.legs[static_cast<std::size_t>(side)];
  const bool skirt = who_.lower == Lower::skirt || who_.lower == Lower::long_skirt;
  const float stout = 0.5F + 0.5F * who_.girth;
  const float loose = who_.lower == Lower::trousers ? 1.14F : 1.0F;
  // The far leg stands in the near one's shadow.
  const float dim = depth(leg.hip) < -0.01F ? 0.86F : 1.0F;
  const Color cloth = who_.lower_color.scaled(dim);
  const Color skin = who_.skin.scaled(dim);
  const Color stripe = who_.stripe_color.scaled(dim);
  const bool bare_thigh = skirt;
  const bool bare_shin = skirt || who_.lower == Lower::shorts;
  const bool striped = who_.side_stripe && !skirt;
  const float outside = side == 0 ? -1.0F : 1.0F;
  const auto paint = [&](float s, float t, bool bare, float bare_from) {
    if (bare || t > bare_from) return shaded(skin, s);
    if (striped && facing(s).x * outside > 0.86F) return shaded(stripe, s);
    return shaded(cloth, s);
  };
  const float ankle = bare_shin ? 0.021F : (who_.lower == Lower::trousers ? 0.032F : 0.024F);

  const Joint toe{leg.ankle.x * 1.15F, leg.ankle.y + 0.02F, leg.ankle.z + 0.072F};
  const Joint heel{leg.ankle.x, leg.ankle.y + 0.016F, leg.ankle.z - 0.012F};
  const float shin = bare_shin ? 0.9F : 1.0F;
  canvas_.limb(project(leg.knee), size(0.041F * stout * loose * shin), project(leg.ankle),
               size(ankle * (0.8F + 0.2F * stout)), [&](float s, float t) {
                 if (who_.boots && t > 0.5F) return shaded(who_.shoes.scaled(dim), s);
                 return paint(s, t, bare_shin, 2);
               });
  plain_limb(heel, 0.023F, toe, 0.017F, who_.shoes.scaled(dim));
  canvas_.limb(project(leg.hip), size(0.06F * stout * loose), project(leg.knee),
               size(0.043F * stout * loose * (bare_shin && !skirt ? 1.12F : 1.0F)),
               [&](float s, float t) { return paint(s, t, bare_thigh, bare_shin ? 0.86F : 2.0F); });
}

void Painter::draw_arm(int side) {
  const Arm& arm = skeleton_.arms[static_cast<std::size_t>(side)];
  const float stout = 0.45F + 0.55F * who_.girth;
  const bool wide = who_.upper == Upper::coat || who_.upper == Upper::jacket || who_.upper == Upper::hoodie;
  const float cloth = wide ? 1.16F : 1.04F;
  const bool long_sleeve = wide || who_.upper == Upper::shirt;
  const float dim = depth(arm.shoulder) < -0.04F ? 0.86F : 1.0F;
  const float sleeve_end = who_.upper == Upper::tank_top ? -1.0F : (long_sleeve ? 9.0F : 0.72F);
  const Cloth garment(who_);
  const bool holds = who_.bag == Bag::handbag && (side == 0 ? -1 : 1) == who_.bag_side;

  if (holds) draw_handbag(arm.hand);
  plain_limb(arm.hand, 0.02F, {arm.hand.x, arm.hand.y + 0.022F, arm.hand.z + 0.004F}, 0.016F,
             who_.skin.scaled(dim));
  const float fore = long_sleeve ? cloth : 0.9F;
  canvas_.limb(project(arm.elbow), size(0.029F * stout * fore), project(arm.hand),
               size(0.021F * stout * fore), [&](float s, float t) {
                 const Color c = long_sleeve ? garment.sleeve(0.36F + 0.15F * t) : who_.skin;
                 return shaded(c.scaled(dim), s);
               });
  canvas_.limb(project(arm.shoulder), size(0.036F * stout * cloth), project(arm.elbow),
               size(0.03F * stout * (sleeve_end > 0 ? cloth : 0.92F)), [&](float s, float t) {
                 const Color c = t < sleeve_end ? garment.sleeve(0.19F + 0.17F * t) : who_.skin;
                 return shaded(c.scaled(dim), s);
               });
}

void Painter::draw_skirt() {
  const float hem = who_.lower == Lower::skirt ? 0.72F : 0.9F;
  const float flare = who_.lower == Lower::skirt ? 0.128F : 0.138F;
  const auto slice = [&](float y, float x, float z) {
    const Point p = project(trunk(0, y, 0));
    return Slice{p.y, p.x, breadth(x * who_.hips, z * who_.hips)};
  };
  const std::array slices{slice(0.42F, 0.086F, 0.062F), slice(0.52F, 0.106F, 0.08F),
                          slice(hem, flare, flare * 0.85F)};
  const float fold = 26.0F;
  canvas_.solid(slices, [&](float s, float) {
    const Facing f = facing(s);
    const float pleat = 1.0F + 0.05F * (std::fmod(std::abs(f.x) * fold / 4, 1.0F) - 0.5F);
    return shaded(who_.lower_color, s).scaled(pleat);
  });
}

void Painter::draw_trunk(int) {
  const bool skirt = who_.lower == Lower::skirt || who_.lower == Lower::long_skirt;
  const auto slice = [&](float y, float x, float z) {
    const Point p = project(trunk(0, y, 0));
    return Slice{p.y, p.x, breadth(x, z)};
  };
  const float g = who_.girth;
  const float sh = who_.shoulders;
  const float wide = 0.6F + 0.4F * who_.hips * g;
  if (skirt) {
    draw_skirt();
  } else {
    const std::array seat{slice(0.44F, 0.09F * g, 0.064F * g), slice(0.5F, 0.104F * wide, 0.074F * wide),
                          slice(0.56F, 0.1F * wide, 0.066F * wide)};
    canvas_.solid(seat, [&](float s, float) { return shaded(who_.lower_color, s); });
  }
  plain_limb(trunk(0, 0.12F, 0.004F), 0.03F, trunk(0, 0.18F, 0), 0.034F, who_.skin);

  const Cloth garment(who_);
  const bool thick = who_.upper == Upper::coat || who_.upper == Upper::jacket;
  const float puff = thick ? 1.08F : 1.0F;
  std::vector<Slice> slices{slice(0.155F, 0.04F, 0.036F),
                            slice(0.176F, 0.082F * sh, 0.044F * puff),
                            slice(0.205F, 0.112F * sh, 0.056F * puff),
                            slice(0.25F, 0.114F * sh * puff, 0.066F * puff * (0.6F + 0.4F * g)),
                            slice(0.33F, 0.106F * (0.5F * sh + 0.5F * g) * puff, 0.068F * g * puff),
                            slice(0.41F, 0.094F * g * puff, 0.066F * g * puff),
                            slice(0.49F, 0.104F * wide * puff, 0.074F * wide * puff)};
  const float hem = garment.hem();
  slices.push_back(
      slice(hem, (hem > 0.6F ? 0.124F : 0.106F) * wide * puff, (hem > 0.6F ? 0.094F : 0.076F) * wide * puff));
  const float top = slices.front().y;
  const float scale = 1.0F / location_.height;
  canvas_.solid(slices, [&](float s, float y) {
    return shaded(garment.trunk(facing(s), 0.155F + (y - top) * scale), s);
  });
  if (who_.scarf) {
    canvas_.ellipse(
        project(trunk(0, 0.166F, 0.004F)), size(0.052F), size(0.026F), false,
        [&](float s, float t) { return shaded(who_.scarf_color, 0.8F * s).scaled(1 - 0.1F * t); });
    plain_limb(trunk(0.022F, 0.175F, 0.066F * g), cos_ > 0 ? 0.017F : 0.0F, trunk(0.026F, 0.29F, 0.072F * g),
               cos_ > 0 ? 0.019F : 0.0F, who_.scarf_color);
  }
  if (who_.upper == Upper::hoodie && cos_ < 0.35F) {
    canvas_.ellipse(project(trunk(0, 0.192F, -0.045F)), breadth(0.066F, 0.04F), size(0.034F), false,
                    [&](float s, float t) { return shaded(who_.upper_color, s).scaled(0.92F - 0.1F * t); });
  }
}

void Painter::draw_head(int) {
  const float k = who_.head;
  const bool hat = who_.hair == Hair::cap || who_.hair == Hair::beanie;
  const bool full = who_.hair == Hair::bob || who_.hair == Hair::long_hair;
  const Color covering = hat ? who_.hat : who_.hair_color;
  const Point center = project(trunk(0, 0.078F, 0.012F));
  const float brow = who_.hair == Hair::beanie ? -0.12F : (who_.hair == Hair::cap ? -0.22F : -0.4F);
  canvas_.ellipse(center, breadth(0.056F * k, 0.064F * k), size(0.078F * k), false, [&](float s, float t) {
    const float near = std::sqrt(std::max(0.0F, 1.0F - s * s - t * t));
    const float x = s * cos_ - near * sin_;
    const float z = s * sin_ + near * cos_;
    const float tone = 1.06F - 0.3F * s * s + 0.1F * s * light_.side;
    if (who_.hair != Hair::bald) {
      if (t < brow + 0.25F * (x * x) * (hat ? 0.0F : 1.0F)) return covering.scaled(tone * (1 - 0.12F * t));
      if (full ? (z < 0.3F) : (z < -0.1F && t < 0.45F)) return who_.hair_color.scaled(tone);
      if (!full && std::abs(x) > 0.88F && t < 0) return who_.hair_color.scaled(tone);
    }
    if (z > 0) {
      const float eye_x = std::abs(x) - 0.36F;
      const float eye_y = t - 0.02F;
      if (eye_x * eye_x + 0.8F * eye_y * eye_y < 0.012F) return Color{42, 34, 34};
      if (std::abs(x) < 0.5F && std::abs(x) > 0.2F && t > -0.2F && t < -0.12F) {
        return who_.hair_color.mixed(who_.skin, 0.35F);
      }
      if (std::abs(x) < 0.26F && t > 0.46F && t < 0.56F) return Color{168, 84, 82}.mixed(who_.skin, 0.3F);
      if (who_.beard && t > 0.34F) return who_.hair_color.mixed(who_.skin, 0.25F).scaled(tone);
    }
    return who_.skin.scaled(tone * (z > 0.7F && std::abs(x) < 0.12F && t > 0.1F && t < 0.3F ? 0.9F : 1.0F));
  });
  if (who_.hair == Hair::cap) {
    const float brim_dim = 0.82F;
    plain_limb(trunk(0, 0.06F, 0.05F), 0.024F * k, trunk(0, 0.068F, 0.1F), 0.02F * k,
               who_.hat.scaled(brim_dim));
  }
  if (who_.hair == Hair::beanie) {
    canvas_.ellipse({center.x, center.y - size(0.08F * k)}, size(0.017F), size(0.015F), false,
                    [&](float s, float) { return shaded(who_.hat.scaled(1.12F), s); });
  }
}

void Painter::draw_back_hair(int) {
  const float k = who_.head;
  const Color& color = who_.hair_color;
  const auto strand = [&](float s, float t) { return shaded(color, s).scaled(0.94F - 0.08F * t); };
  switch (who_.hair) {
    case Hair::bob:
    case Hair::long_hair: {
      const float end = who_.hair == Hair::bob ? 0.165F : 0.285F;
      const auto slice = [&](float y, float x, float z) {
        const Point p = project(trunk(0, y, -0.026F));
        return Slice{p.y, p.x, breadth(x * k, z * k)};
      };
      const std::array slices{slice(0.03F, 0.03F, 0.03F), slice(0.07F, 0.06F, 0.045F),
                              slice(0.14F, 0.066F, 0.042F), slice(end, 0.058F, 0.03F)};
      canvas_.solid(slices, [&](float s, float) { return shaded(color, s).scaled(0.95F); });
      break;
    }
    case Hair::ponytail:
      canvas_.limb(project(trunk(0, 0.062F, -0.062F)), size(0.02F), project(trunk(0, 0.185F, -0.092F)),
                   size(0.026F), strand);
      break;
    case Hair::bun:
      canvas_.ellipse(project(trunk(0, 0.018F, -0.052F)), size(0.033F), size(0.031F), false, strand);
      break;
    default:
      break;
  }
}

void Painter::draw_backpack(int) {
  canvas_.ellipse(project(trunk(0, 0.315F, -0.108F)), breadth(0.088F, 0.05F), size(0.115F), true,
                  [&](float s, float t) {
                    const Color c = who_.bag_color.scaled(t > 0.25F && std::abs(s) < 0.72F ? 0.82F : 1.0F);
                    return shaded(std::abs(t + 0.35F) < 0.035F ? c.scaled(0.7F) : c, s);
                  });
}

void Painter::draw_shoulder_bag(int) {
  canvas_.ellipse(
      project(trunk(bag_side() * 0.135F, 0.53F, 0)), breadth(0.03F, 0.075F), size(0.062F), true,
      [&](float s, float t) { return shaded(who_.bag_color.scaled(t < -0.1F ? 0.86F : 1.0F), s); });
}

void Painter::draw_handbag(const Joint& hand) {
  const Joint middle{hand.x, hand.y + 0.105F, hand.z};
  for (const float end : {-0.045F, 0.045F}) {
    plain_limb(hand, 0.005F, {hand.x, hand.y + 0.06F, hand.z + end}, 0.005F, who_.bag_color.scaled(0.7F));
  }
  canvas_.ellipse(project(middle), breadth(0.024F, 0.07F), size(0.052F), true,
                  [&](float s, float t) { return shaded(who_.bag_color.scaled(1.0F - 0.08F * t), s); });
}

}  // namespace

void draw_figure(Canvas& canvas, const Appearance& who, const Pose& pose, const Placement& placement,
                 const Light& light) {
  Painter(canvas, who, pose, placement, light).draw();
}

}  // namespace kindred::synthetic
