#include "picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "canvas.h"
#include "figure.h"
#include "optics.h"
#include "scene.h"

namespace kindred::synthetic {
namespace {

constexpr float pi = 3.14159265F;

float between(RandomStream& random, double low, double high) {
  return static_cast<float>(random.uniform(low, high));
}

void draw_background(RandomStream& random, const Camera& camera, double zoom, cv::Mat& raster) {
  const double unit = camera.scene.rows / scene_height;
  const double height = std::min(1.0 / zoom, scene_height);
  const double width = 0.5 * height;
  const double left = random.uniform(0, scene_width - width);
  const double top = random.uniform(0.4, 1) * (scene_height - height);
  const cv::Rect window(static_cast<int>(left * unit), static_cast<int>(top * unit),
                        static_cast<int>(width * unit), static_cast<int>(height * unit));
  cv::resize(camera.scene(window), raster, raster.size(), 0, 0, cv::INTER_LINEAR_EXACT);
}

void draw_passer_by(Canvas& canvas, RandomStream& random, std::uint64_t crowd, const Placement& placement,
                    const Light& light) {
  const auto stranger = random();
  const Appearance who = draw_appearance(crowd, stranger >> 8U, stranger, 0);
  Pose pose;
  pose.yaw = between(random, -pi, pi);
  pose.phase = between(random, -pi, pi);
  pose.stride = between(random, 0.2, 1);
  canvas.darken({placement.x, placement.feet_y}, 0.2F * placement.height, 0.03F * placement.height, 0.4F);
  draw_figure(canvas, who, pose, placement, light);
}

/// Something before the person: it hides a part, never most of them.
void draw_obstacle(Canvas& canvas, RandomStream& random, std::uint64_t crowd, const Placement& person,
                   const Light& light) {
  const auto shaded = [&light](const Color& color) {
    return
        [color, &light](float s, float) { return color.scaled(1 - 0.3F * s * s + 0.12F * s * light.side); };
  };
  const float side = random.chance(0.5) ? 1.0F : -1.0F;
  switch (random.integer(0, 4)) {
    case 0: {  // a pole
      const float x = person.x + between(random, -0.12, 0.12);
      const float tone = between(random, 50, 150);
      const float thick = between(random, 0.011, 0.026);
      canvas.limb({x, -0.1F}, thick, {x, 1.1F}, thick, shaded({tone, tone, tone + 4}));
      break;
    }
    case 1: {  // somebody else, nearer
      Placement nearer = person;
      nearer.x += side * between(random, 0.17, 0.25);
      nearer.feet_y += between(random, 0.02, 0.1);
      nearer.height *= between(random, 0.95, 1.15);
      draw_passer_by(canvas, random, crowd, nearer, light);
      break;
    }
    case 2: {  // a bush
      const float top = between(random, 0.66, 0.84);
      const float middle = person.x + side * between(random, 0, 0.14);
      for (int i = 0; i < 16; ++i) {
        const float green = between(random, 58, 104);
        const float x = middle + between(random, -0.16, 0.16);
        const float y = top + between(random, 0.02, 0.3);
        const float radius_x = between(random, 0.04, 0.09);
        const float radius_y = between(random, 0.03, 0.07);
        canvas.ellipse({x, y}, radius_x, radius_y, false, shaded({0.66F * green, green, 0.5F * green}));
      }
      break;
    }
    case 3: {  // the end of a car
      constexpr std::array<Color, 4> paints{{{150, 34, 38}, {190, 192, 196}, {48, 60, 98}, {64, 66, 70}}};
      const Color paint = paints[static_cast<std::size_t>(random.integer(0, 3))];
      const float top = between(random, 0.68, 0.82);
      const float x = person.x + side * between(random, 0.2, 0.3);
      canvas.ellipse({x, top - 0.02F}, 0.17F, 0.075F, true, shaded({60, 72, 84}));
      canvas.ellipse({x, top + 0.16F}, 0.26F, 0.15F, true, [&](float, float t) {
        return paint.scaled(t > 0.1F && t < 0.16F ? 0.7F : 0.95F - 0.12F * t);
      });
      canvas.ellipse({x - side * 0.14F, top + 0.28F}, 0.06F, 0.06F, false, shaded({28, 28, 30}));
      break;
    }
    default: {  // a suitcase or a sign
      const float x = person.x + side * between(random, 0.05, 0.16);
      const float top = between(random, 0.68, 0.82);
      const Color color{between(random, 40, 190), between(random, 40, 170), between(random, 40, 170)};
      canvas.limb({x - 0.03F, top - 0.09F}, 0.006F, {x - 0.03F, top}, 0.006F, shaded({46, 46, 48}));
      canvas.limb({x + 0.03F, top - 0.09F}, 0.006F, {x + 0.03F, top}, 0.006F, shaded({46, 46, 48}));
      canvas.ellipse({x, top + 0.11F}, 0.066F, 0.115F, true, [&](float s, float t) {
        return color.scaled((std::abs(t) > 0.62F && std::abs(t) < 0.68F ? 0.75F : 1.0F) * (1 - 0.2F * s * s));
      });
    }
  }
}

}  // namespace

cv::Mat draw_picture(const Appearance& who, const Camera& camera, const Moment& moment, int height,
                     int width) {
  RandomStream random(moment.seed);
  const double d = moment.difficulty;

  Pose pose;
  // Some walk the other way.
  const bool turned = random.chance(0.3 * d);
  pose.yaw = turned ? between(random, -pi, pi)
                    : camera.yaw + static_cast<float>(random.normal(0, camera.yaw_spread));
  pose.phase = between(random, -pi, pi);
  pose.stride = random.chance(0.25) ? between(random, 0, 0.15) : between(random, 0.5, 1.05);
  pose.bend = between(random, 0.1, 0.5);

  Placement person;
  const double zoom = camera.zoom * (1 + random.normal(0, 0.015 + 0.05 * d));
  person.height = static_cast<float>(std::clamp(0.88 * zoom, 0.7, 1.12));
  person.feet_y =
      0.5F + 0.5F * person.height + camera.shift + between(random, -0.01 - 0.04 * d, 0.01 + 0.04 * d);
  person.x = 0.25F + between(random, -0.01 - 0.05 * d, 0.01 + 0.05 * d);
  person.pitch = camera.pitch;
  const Light light{camera.light_side};

  RandomStream of_frame(moment.seed, {static_cast<std::uint64_t>(moment.frame)});
  if (moment.frame > 0) {
    constexpr float step = 0.7F;  // about nine frames are two steps
    pose.phase += step * static_cast<float>(moment.frame);
    pose.yaw += static_cast<float>(of_frame.normal(0, 0.05));
    person.x += static_cast<float>(of_frame.normal(0, 0.01 + 0.02 * d));
    person.feet_y += static_cast<float>(of_frame.normal(0, 0.005 + 0.015 * d));
  }

  cv::Mat raster(2 * height, 2 * width, CV_8UC3);
  draw_background(random, camera, std::max(zoom, 1 / scene_height), raster);
  Canvas canvas(raster);
  auto& rest = moment.frame > 0 ? of_frame : random;
  if (rest.chance(0.1 + 0.4 * d)) {
    Placement behind = person;
    behind.height *= between(rest, 0.6, 0.85);
    const float side = rest.chance(0.5) ? 1.0F : -1.0F;
    behind.x += side * between(rest, 0.12, 0.26);
    behind.feet_y -= 0.3F * (person.height - behind.height);
    draw_passer_by(canvas, rest, moment.crowd, behind, light);
  }
  canvas.darken({person.x + 0.03F * light.side, person.feet_y - 0.005F}, 0.24F * person.height,
                0.034F * person.height, 0.5F);
  draw_figure(canvas, who, pose, person, light);
  if (rest.chance(0.05 + 0.6 * d)) draw_obstacle(canvas, rest, moment.crowd, person, light);

  cv::Mat picture;
  cv::resize(raster, picture, {width, height}, 0, 0, cv::INTER_AREA);
  develop(picture, rest, camera, moment);
  return picture;
}

}  // namespace kindred::synthetic
