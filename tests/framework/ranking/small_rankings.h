// Rankings of a few images, written down, and what they are judged to be.
#pragma once

#include <doctest/doctest.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "ranking/evaluation.h"
#include "real_metrics.h"
#include "recipe/settings.h"
#include "results/evaluation.h"

namespace kindred::test {

/// Each has another path.
inline Sample person(std::int64_t identity, std::int64_t camera = unknown_camera) {
  static int number = 0;
  Sample sample;
  sample.path = "image" + std::to_string(number++) + ".png";
  sample.identity = identity;
  sample.camera = camera;
  return sample;
}

/// @param distances [Q, G]
inline DistanceBlock given(const torch::Tensor& distances) {
  return [distances](std::int64_t first, std::int64_t last) { return distances.slice(0, first, last); };
}

/// By the metrics of real_metrics.h.
inline results::Evaluation evaluate_all(const std::vector<Sample>& query, const std::vector<Sample>& gallery,
                                        const DistanceBlock& distances, recipe::CameraMode cameras,
                                        const std::vector<std::string>& overrides = {},
                                        const std::filesystem::path& place = "evaluation") {
  auto plan = real_metrics(overrides);
  plan.evaluate.cameras = cameras;
  return ranking::evaluate(query, gallery, distances, ranking::DistanceScale::other, plan, place);
}

/// One query.
inline results::Evaluation evaluate_one(const Sample& query, const std::vector<Sample>& gallery,
                                        std::vector<float> distances,
                                        recipe::CameraMode cameras = recipe::CameraMode::single) {
  return evaluate_all({query}, gallery, given(torch::tensor(distances).unsqueeze(0)), cameras);
}

inline double map_of(const results::Evaluation& evaluation) {
  return value_of(evaluation, "mAP");
}

/// Says what is missing.
inline bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("'" << part << "' is not in: " << text);
  return found;
}

}  // namespace kindred::test
