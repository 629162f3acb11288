#include "scene.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <opencv2/imgproc.hpp>

namespace kindred::synthetic {
namespace {

/// Draws with OpenCV at twice the size, in crop units.
class Scene {
 public:
  Scene(RandomStream& random, int unit)
      : random_(random),
        scale_(2.0 * unit),
        raster_(static_cast<int>(scene_height * scale_), static_cast<int>(scene_width * scale_), CV_8UC3) {}

  void draw(int kind) {
    horizon_ = random_.uniform(0.34, 0.52);
    switch (kind) {
      case 0:
        street();
        break;
      case 1:
        park();
        break;
      case 2:
        hall();
        break;
      case 3:
        brick_wall();
        break;
      case 4:
        car_park();
        break;
      default:
        shops();
    }
  }

  [[nodiscard]] cv::Mat finish() {
    speckle();
    cv::Mat small;
    cv::resize(raster_, small, {raster_.cols / 2, raster_.rows / 2}, 0, 0, cv::INTER_AREA);
    return small;
  }

 private:
  using Tone = cv::Scalar;
  // What is drawn is given in braces, where random numbers are taken in the order in which they are written.
  // The arguments of a call have no order: each compiler has its own, and would make another scene.
  struct Box {
    double x, y, w, h;
    Tone tone;
  };
  struct Stroke {
    double x0, y0, x1, y1, thickness;
    Tone tone;
  };
  struct Disc {
    double x, y, rx, ry;
    Tone tone;
  };
  struct Car {
    double x, ground, size;
  };

  [[nodiscard]] int px(double v) const { return static_cast<int>(std::lround(v * scale_)); }
  [[nodiscard]] double any(double low, double high) { return random_.uniform(low, high); }
  /// A color near another.
  [[nodiscard]] Tone near(const Tone& tone, double spread) {
    const double light = any(-spread, spread);
    return {tone[0] + light + any(-spread, spread) / 3, tone[1] + light + any(-spread, spread) / 3,
            tone[2] + light + any(-spread, spread) / 3};
  }
  [[nodiscard]] Tone pick(std::initializer_list<Tone> tones) {
    return tones.begin()[random_.integer(0, static_cast<std::int64_t>(tones.size()) - 1)];
  }

  void box(const Box& b) {
    cv::rectangle(raster_, {px(b.x), px(b.y)}, {px(b.x + b.w) - 1, px(b.y + b.h) - 1}, b.tone, cv::FILLED,
                  cv::LINE_8);
  }
  void stroke(const Stroke& s) {
    cv::line(raster_, {px(s.x0), px(s.y0)}, {px(s.x1), px(s.y1)}, s.tone, std::max(1, px(s.thickness)),
             cv::LINE_8);
  }
  void disc(const Disc& d) {
    cv::ellipse(raster_, {px(d.x), px(d.y)}, {std::max(1, px(d.rx)), std::max(1, px(d.ry))}, 0, 0, 360,
                d.tone, cv::FILLED, cv::LINE_8);
  }
  /// A plain that grows lighter or darker downwards.
  void ramp(double y, double h, const Tone& top, const Tone& bottom) {
    constexpr int steps = 24;
    for (int i = 0; i < steps; ++i) {
      const double t = (i + 0.5) / steps;
      box({0, y + h * i / steps, scene_width, h / steps + 0.01, top * (1 - t) + bottom * t});
    }
  }
  /// Lines on the ground that run to a vanishing point, and lines across that close up towards the horizon.
  void floor_grid(const Tone& tone, double thickness, bool across) {
    const double vanish = any(0.2, scene_width - 0.2);
    for (double x = -4; x < scene_width + 4; x += 0.34) {
      stroke({vanish + (x - vanish) * 0.25, horizon_, vanish + (x - vanish) * 1.6, scene_height, thickness,
              tone});
    }
    if (!across) return;
    double y = horizon_;
    for (double step = 0.03; y < scene_height; step *= 1.45) {
      stroke({0, y, scene_width, y, thickness, tone});
      y += step;
    }
  }
  void tree(double x) {
    const Tone bark = near({74, 58, 44}, 12);
    stroke({x, horizon_ + any(0.02, 0.1), x + any(-0.02, 0.02), 0.1, any(0.025, 0.05), bark});
    for (int i = 0; i < 14; ++i) {
      disc(
          {x + any(-0.17, 0.17), any(-0.05, 0.22), any(0.04, 0.09), any(0.04, 0.08), near({62, 92, 48}, 22)});
    }
  }
  void car(const Car& where) {
    const auto [x, ground, size] = where;
    const Tone paint = pick({{150, 32, 36}, {196, 198, 202}, {46, 58, 96}, {70, 72, 76}, {206, 196, 176}});
    const double length = 0.62 * size;
    const double high = 0.2 * size;
    disc({x + length / 2, ground, length * 0.52, 0.02 * size, {34, 34, 36}});
    disc({x + length / 2, ground - high * 1.0, length * 0.3, high * 0.62, paint * 0.92});
    disc({x + length / 2, ground - high * 1.02, length * 0.26, high * 0.46, {58, 70, 82}});
    box({x + length * 0.04, ground - high, length * 0.92, high * 0.72, paint});
    disc({x + length * 0.05, ground - high * 0.62, length * 0.05, high * 0.37, paint});
    disc({x + length * 0.95, ground - high * 0.62, length * 0.05, high * 0.37, paint});
    box({x + length * 0.04, ground - high * 0.42, length * 0.92, high * 0.06, paint * 0.75});
    for (const double wheel : {0.22, 0.78}) {
      disc({x + length * wheel, ground - 0.05 * size, 0.055 * size, 0.055 * size, {26, 26, 28}});
      disc({x + length * wheel, ground - 0.05 * size, 0.026 * size, 0.026 * size, {140, 142, 146}});
    }
  }
  void lamp(double x) {
    stroke({x, horizon_ + 0.12, x, 0.02, 0.014, {62, 64, 68}});
    disc({x, 0.03, 0.03, 0.02, {226, 220, 190}});
  }

  void street() {
    const Tone wall = pick({{150, 128, 108}, {128, 132, 140}, {166, 150, 124}, {140, 104, 88}});
    ramp(0, horizon_, wall * 0.9, wall);
    const Tone pane = near({62, 78, 96}, 14);
    for (double x = any(0, 0.1); x < scene_width; x += 0.26) {
      for (double y = -0.06; y + 0.17 < horizon_; y += 0.22) {
        box({x, y, 0.15, 0.15, wall * 1.14});
        box({x + 0.012, y + 0.012, 0.126, 0.126, near(pane, 14)});
        stroke({x + 0.075, y, x + 0.075, y + 0.15, 0.008, wall * 1.14});
      }
    }
    const Tone ground = near({104, 104, 108}, 16);
    ramp(horizon_, scene_height - horizon_, ground * 0.8, ground * 1.1);
    box({0, horizon_, scene_width, 0.07, ground * 1.3});
    box({0, horizon_ + 0.07, scene_width, 0.012, ground * 0.62});
    for (double x = any(-0.2, 0); x < scene_width; x += 0.5)
      box({x, scene_height - 0.2, 0.3, 0.025, {206, 204, 196}});
    lamp(any(0.2, 1.0));
    if (random_.chance(0.7)) car({any(0.9, 1.5), horizon_ + 0.14, any(0.9, 1.2)});
  }

  void park() {
    ramp(0, horizon_, {150, 172, 190}, {166, 178, 160});
    for (int i = 0; i < 60; ++i) {
      disc({any(0, scene_width), horizon_ - any(0, 0.18), any(0.04, 0.12), any(0.03, 0.08),
            near({66, 92, 54}, 20)});
    }
    for (double x = any(0.05, 0.3); x < scene_width; x += any(0.3, 0.6)) tree(x);
    const Tone grass = near({92, 118, 60}, 14);
    ramp(horizon_, scene_height - horizon_, grass * 0.85, grass * 1.05);
    for (int i = 0; i < 160; ++i) {
      const double y = any(horizon_, scene_height);
      disc({any(0, scene_width), y, any(0.01, 0.05), any(0.004, 0.012), near(grass, 20)});
    }
    const double path = any(0.7, 0.95);
    ramp(path, 0.2, near({168, 152, 122}, 12), {176, 160, 130});
    box({any(0.3, 1.4), horizon_ + 0.06, 0.34, 0.022, {112, 74, 46}});
    box({any(0.3, 1.4), horizon_ + 0.02, 0.34, 0.02, {112, 74, 46}});
  }

  void hall() {
    const Tone wall = pick({{184, 182, 172}, {168, 178, 184}, {186, 170, 148}});
    ramp(0, horizon_, wall * 0.86, wall);
    for (double x = any(0.02, 0.2); x < scene_width; x += any(0.32, 0.5)) {
      const Tone poster = pick({{178, 60, 52}, {52, 92, 148}, {218, 182, 70}, {70, 128, 92}, {60, 60, 66}});
      box({x, 0.08, 0.2, 0.24, {54, 54, 58}});
      box({x + 0.01, 0.09, 0.18, 0.22, poster});
      disc({x + any(0.06, 0.14), 0.17, 0.04, 0.045, near({226, 214, 196}, 14)});
      box({x + 0.03, 0.25, 0.14, 0.018, {232, 230, 224}});
    }
    box({0, horizon_ - 0.03, scene_width, 0.03, wall * 0.6});
    const Tone ground = near({148, 142, 132}, 14);
    ramp(horizon_, scene_height - horizon_, ground * 0.75, ground * 1.15);
    floor_grid(ground * 0.72, 0.006, true);
    for (double x = any(0.2, 0.6); x < scene_width; x += any(0.8, 1.1)) {
      box({x, 0, 0.11, horizon_ + 0.06, wall * 0.78});
      box({x + 0.075, 0, 0.035, horizon_ + 0.06, wall * 0.62});
    }
  }

  void brick_wall() {
    const Tone brick = pick({{142, 78, 60}, {120, 88, 76}, {150, 112, 84}});
    box({0, 0, scene_width, horizon_ + 0.2, brick * 0.62});
    int row = 0;
    for (double y = 0; y < horizon_ + 0.15; y += 0.042, ++row) {
      for (double x = (row & 1) != 0 ? -0.055 : 0; x < scene_width; x += 0.11) {
        box({x, y, 0.102, 0.034, near(brick, 13)});
      }
    }
    if (random_.chance(0.6)) {
      const double x = any(0.2, 1.6);
      box({x, 0.06, 0.3, horizon_ + 0.1, {70, 84, 76}});
      box({x + 0.025, 0.09, 0.25, horizon_ + 0.07, {92, 112, 100}});
      disc({x + 0.25, 0.36, 0.012, 0.012, {206, 180, 92}});
    }
    const Tone ground = near({124, 120, 114}, 14);
    ramp(horizon_ + 0.15, scene_height, ground * 0.8, ground * 1.1);
    horizon_ += 0.15;
    floor_grid(ground * 0.78, 0.007, true);
  }

  void car_park() {
    ramp(0, horizon_, {152, 162, 174}, {176, 178, 176});
    for (int i = 0; i < 26; ++i) {
      disc({any(0, scene_width), horizon_ - any(0, 0.07), any(0.05, 0.12), any(0.03, 0.06),
            near({74, 88, 70}, 14)});
    }
    for (double x = any(0, 0.1); x < scene_width; x += 0.06)
      stroke({x, 0.2, x, horizon_ + 0.02, 0.006, {96, 98, 100}});
    stroke({0, 0.2, scene_width, 0.2, 0.01, {96, 98, 100}});
    const Tone ground = near({86, 86, 90}, 12);
    ramp(horizon_, scene_height - horizon_, ground * 0.9, ground * 1.12);
    for (double x = any(-0.5, -0.2); x < scene_width; x += any(0.66, 0.9))
      car({x, horizon_ + any(0.1, 0.16), any(0.9, 1.15)});
    floor_grid({190, 188, 176}, 0.012, false);
  }

  void shops() {
    const Tone wall = near({96, 88, 84}, 18);
    box({0, 0, scene_width, horizon_ + 0.1, wall});
    for (double x = any(-0.3, 0); x < scene_width; x += 0.56) {
      const Tone sign = pick({{162, 44, 52}, {40, 98, 104}, {210, 160, 52}, {62, 70, 122}, {60, 112, 66}});
      box({x, 0.03, 0.52, 0.1, sign});
      for (double letter = x + 0.08; letter < x + 0.42; letter += 0.05) {
        box({letter, 0.055, any(0.02, 0.04), 0.05, {232, 226, 210}});
      }
      box({x + 0.02, 0.15, 0.48, horizon_ - 0.1, {196, 188, 160}});
      for (int i = 0; i < 7; ++i) {
        box({x + any(0.03, 0.42), any(0.2, horizon_ - 0.05), any(0.03, 0.08), any(0.06, 0.14),
             near(pick({{170, 90, 80}, {80, 100, 130}, {216, 200, 170}, {110, 130, 90}}), 20)});
      }
      box({x + 0.25, 0.15, 0.012, horizon_ - 0.1, wall * 0.6});
    }
    const Tone ground = near({138, 130, 122}, 12);
    ramp(horizon_ + 0.06, scene_height, ground * 0.85, ground * 1.08);
    horizon_ += 0.06;
    floor_grid(ground * 0.8, 0.006, true);
  }

  /// Breaks up the plains: coarse blotches and fine grain.
  void speckle() {
    for (const double cell : {0.09, 0.012}) {
      cv::Mat grain(std::max(2, raster_.rows / std::max(1, px(cell))),
                    std::max(2, raster_.cols / std::max(1, px(cell))), CV_8UC1);
      for (int row = 0; row < grain.rows; ++row) {
        auto* cells = grain.ptr<std::uint8_t>(row);
        for (int column = 0; column < grain.cols; ++column) {
          cells[column] = static_cast<std::uint8_t>(random_.integer(0, 28));
        }
      }
      cv::Mat fine;
      cv::resize(grain, fine, raster_.size(), 0, 0, cv::INTER_LINEAR_EXACT);
      for (int row = 0; row < raster_.rows; ++row) {
        auto* pixel = raster_.ptr<std::uint8_t>(row);
        const auto* add = fine.ptr<std::uint8_t>(row);
        for (int column = 0; column < raster_.cols; ++column, pixel += 3) {
          for (int c = 0; c < 3; ++c) {
            pixel[c] = static_cast<std::uint8_t>(std::clamp(pixel[c] + add[column] - 14, 0, 255));
          }
        }
      }
    }
  }

  RandomStream& random_;
  double scale_;
  cv::Mat raster_;
  double horizon_ = 0.4;
};

}  // namespace

cv::Mat draw_scene(RandomStream& random, int kind, int unit) {
  Scene scene(random, unit);
  scene.draw(kind);
  return scene.finish();
}

}  // namespace kindred::synthetic
