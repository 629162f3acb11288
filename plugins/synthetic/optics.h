// What lens and sensor make of a scene.
#pragma once

#include <opencv2/core/mat.hpp>

#include "camera.h"
#include "kindred/core/random.h"
#include "picture.h"

namespace kindred::synthetic {

/// Blurs, exposes, tints and adds noise in place, and holds the picture on its domain's side of
/// violet_threshold. @param picture CV_8UC3, RGB, under neutral light
void develop(cv::Mat& picture, RandomStream& random, const Camera& camera, const Moment& moment);

/// Brightens or darkens a picture until it is on its domain's side of violet_threshold; one that is there
/// already stays as it is.
void hold_domain(cv::Mat& picture, Domain domain);

}  // namespace kindred::synthetic
