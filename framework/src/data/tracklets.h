// The frames of each tracklet among samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::data {

/// Indices of samples: the frames of one tracklet in the order of their paths, or a single image.
using Frames = std::vector<std::size_t>;

/// The frames of every tracklet of every split, and every single image by itself; in the order of the first
/// sample of each. These are what descriptors, rankings and scores count.
[[nodiscard]] std::vector<Frames> frames_of_tracklets(const std::vector<Sample>& samples);

/// `count` of the frames: the middle one of each of `count` equal parts of the sequence. All of them when
/// `count` is 0, or when there are no more.
[[nodiscard]] Frames evenly_chosen(const Frames& frames, std::int64_t count);

/// The sample that stands for a tracklet: its first frame, with an unknown view when the frames have several.
/// Throws DataError naming two frames that differ in identity, camera, clothes or domain.
[[nodiscard]] Sample sample_of_tracklet(const std::vector<Sample>& samples, const Frames& frames);

/// One sample for each tracklet and each single image. Throws as sample_of_tracklet() does.
[[nodiscard]] std::vector<Sample> samples_of_tracklets(const std::vector<Sample>& samples);

/// What two frames of a tracklet differ in that they must share: "identity", "camera", "clothes" or "domain";
/// "" for nothing.
[[nodiscard]] const char* difference_of(const Sample& a, const Sample& b);

}  // namespace kindred::data
