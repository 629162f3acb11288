// Changes of light and color of 8-bit RGB images, in place, as torchvision defines them.
//
// Results are clamped to [0, 255] and rounded to the nearest whole number, where torchvision rounds down.
// "Gray" is the luma 0.299 R + 0.587 G + 0.114 B of ITU-R BT.601, in whole numbers unless it is averaged.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

namespace kindred::photometric {

/// Throws ComponentError for `component` unless the image has 8 bits a channel.
void require_bytes(const cv::Mat& image, const std::string& component);

/// factor x.
void adjust_brightness(cv::Mat& image, double factor);

/// factor x + (1 - factor) m, with m the mean gray of the image, not rounded.
void adjust_contrast(cv::Mat& image, double factor);

/// factor x + (1 - factor) g, with g the pixel's gray.
void adjust_saturation(cv::Mat& image, double factor);

/// Turns the hue of the HSV hexcone by `turn`, in [-0.5, 0.5] of a full circle. Hue, saturation and value are
/// not rounded on the way.
void adjust_hue(cv::Mat& image, double turn);

/// All three channels become the pixel's gray.
void make_gray(cv::Mat& image);

/// 255 (x - low) / (high - low) for each channel, with its lowest and highest value in the image; a channel
/// of one value stays as it is.
void stretch_contrast(cv::Mat& image);

}  // namespace kindred::photometric
