// Paints solid-looking shapes, given in crop units, onto a raster of any size.
//
// Crop units: the picture is 1 high and 0.5 wide whatever its pixels, x to the right and y down. A picture
// whose sides are not 2 : 1 is therefore squeezed, as a detector's crop is when it is resized.
// A shape asks its paint for the color of every pixel inside; nothing is blended, so that rasters drawn at a
// multiple of the wanted size and averaged have smooth edges.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>

namespace kindred::synthetic {

struct Color {
  float r = 0, g = 0, b = 0;  ///< 0..255

  [[nodiscard]] Color scaled(float k) const { return {r * k, g * k, b * k}; }
  [[nodiscard]] Color mixed(const Color& other, float share) const {
    return {r + (other.r - r) * share, g + (other.g - g) * share, b + (other.b - b) * share};
  }
};

struct Point {
  float x = 0, y = 0;
};

/// A horizontal slice through an upright solid: its middle and half its width at a height.
struct Slice {
  float y = 0, center = 0, half_width = 0;
};

class Canvas {
 public:
  /// @param raster CV_8UC3, painted in place
  explicit Canvas(cv::Mat& raster)
      : raster_(raster),
        per_x_(static_cast<float>(raster.cols) / 0.5F),
        per_y_(static_cast<float>(raster.rows)) {}

  /// A limb: the round hull between two discs. paint(s, t): s in [-1, 1] across, t in [0, 1] from a to b.
  template <class Paint>
  void limb(Point a, float radius_a, Point b, float radius_b, Paint&& paint) {
    const float dx = b.x - a.x;
    const float dy = b.y - a.y;
    const float length2 = std::max(dx * dx + dy * dy, 1e-9F);
    const float per_length2 = 1.0F / length2;
    const float length = std::sqrt(length2);
    const float reach = std::max(radius_a, radius_b);
    scan({std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach},
         {std::max(a.x, b.x) + reach, std::max(a.y, b.y) + reach},
         [&](float x, float y, std::uint8_t* pixel) {
           const float px = x - a.x;
           const float py = y - a.y;
           const float t = std::clamp((px * dx + py * dy) * per_length2, 0.0F, 1.0F);
           const float radius = radius_a + (radius_b - radius_a) * t;
           const float ex = px - t * dx;
           const float ey = py - t * dy;
           if (ex * ex + ey * ey > radius * radius) return;
           const float across = (py * dx - px * dy) / (length * radius);
           put(pixel, paint(std::clamp(-across, -1.0F, 1.0F), t));
         });
  }

  /// An ellipse; `square` gives a box with round corners instead. paint(s, t): both in [-1, 1].
  template <class Paint>
  void ellipse(Point center, float radius_x, float radius_y, bool square, Paint&& paint) {
    if (radius_x <= 0 || radius_y <= 0) return;
    scan({center.x - radius_x, center.y - radius_y}, {center.x + radius_x, center.y + radius_y},
         [&](float x, float y, std::uint8_t* pixel) {
           const float s = (x - center.x) / radius_x;
           const float t = (y - center.y) / radius_y;
           const float s2 = s * s;
           const float t2 = t * t;
           if ((square ? s2 * s2 * s2 + t2 * t2 * t2 : s2 + t2) > 1.0F) return;
           put(pixel, paint(s, t));
         });
  }

  /// An upright solid through the slices, which are ordered by y. paint(s, y): s in [-1, 1], y in crop units.
  template <class Paint>
  void solid(std::span<const Slice> slices, Paint&& paint) {
    if (slices.size() < 2) return;
    std::size_t above = 0;
    const int first = std::max(0, to_row(slices.front().y));
    const int last = std::min(raster_.rows - 1, to_row(slices.back().y) - 1);
    for (int row = first; row <= last; ++row) {
      const float y = (static_cast<float>(row) + 0.5F) / per_y_;
      while (above + 2 < slices.size() && slices[above + 1].y < y) ++above;
      const Slice& p = slices[above];
      const Slice& q = slices[above + 1];
      const float t = std::clamp((y - p.y) / std::max(q.y - p.y, 1e-6F), 0.0F, 1.0F);
      const float smooth = t * t * (3.0F - 2.0F * t);
      const float center = p.center + (q.center - p.center) * t;
      const float half = p.half_width + (q.half_width - p.half_width) * smooth;
      if (half <= 0) continue;
      const int left = std::max(0, to_column(center - half));
      const int right = std::min(raster_.cols - 1, to_column(center + half) - 1);
      auto* pixel = raster_.ptr<std::uint8_t>(row) + 3 * static_cast<std::ptrdiff_t>(left);
      for (int column = left; column <= right; ++column, pixel += 3) {
        const float x = (static_cast<float>(column) + 0.5F) / per_x_;
        put(pixel, paint(std::clamp((x - center) / half, -1.0F, 1.0F), y));
      }
    }
  }

  /// Multiplies what is there, most in the middle of the ellipse: a shadow.
  void darken(Point center, float radius_x, float radius_y, float depth) {
    scan({center.x - radius_x, center.y - radius_y}, {center.x + radius_x, center.y + radius_y},
         [&](float x, float y, std::uint8_t* pixel) {
           const float s = (x - center.x) / radius_x;
           const float t = (y - center.y) / radius_y;
           const float inside = 1.0F - (s * s + t * t);
           if (inside <= 0) return;
           const float keep = 1.0F - depth * inside;
           for (int c = 0; c < 3; ++c) {
             pixel[c] = static_cast<std::uint8_t>(static_cast<float>(pixel[c]) * keep);
           }
         });
  }

 private:
  [[nodiscard]] int to_column(float x) const { return edge(x * per_x_, raster_.cols); }
  [[nodiscard]] int to_row(float y) const { return edge(y * per_y_, raster_.rows); }
  /// The first pixel whose middle lies at or behind an edge, within the raster and one beyond.
  static int edge(float position, int size) {
    return static_cast<int>(std::ceil(std::clamp(position - 0.5F, -1.0F, static_cast<float>(size))));
  }

  template <class Visit>
  void scan(Point low, Point high, Visit&& visit) {
    const int left = std::max(0, to_column(low.x));
    const int right = std::min(raster_.cols - 1, to_column(high.x));
    const int top = std::max(0, to_row(low.y));
    const int bottom = std::min(raster_.rows - 1, to_row(high.y));
    for (int row = top; row <= bottom; ++row) {
      const float y = (static_cast<float>(row) + 0.5F) / per_y_;
      auto* pixel = raster_.ptr<std::uint8_t>(row) + 3 * static_cast<std::ptrdiff_t>(left);
      for (int column = left; column <= right; ++column, pixel += 3) {
        visit((static_cast<float>(column) + 0.5F) / per_x_, y, pixel);
      }
    }
  }

  static void put(std::uint8_t* pixel, const Color& color) {
    pixel[0] = static_cast<std::uint8_t>(std::clamp(color.r, 0.0F, 255.0F));
    pixel[1] = static_cast<std::uint8_t>(std::clamp(color.g, 0.0F, 255.0F));
    pixel[2] = static_cast<std::uint8_t>(std::clamp(color.b, 0.0F, 255.0F));
  }

  cv::Mat& raster_;
  float per_x_;  ///< pixels a crop unit
  float per_y_;
};

}  // namespace kindred::synthetic
