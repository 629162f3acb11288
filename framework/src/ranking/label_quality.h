// How well pseudo identities agree with the persons who are on the images.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::ranking {

inline constexpr std::int64_t unknown_person = -1;

/// For each sample who is on it, to be compared with others of the result alone: its identity where somebody
/// has said one, and unknown_person for junk and unlabeled images, which nobody can judge. Distractors
/// (data/distractors.h) are persons that appear once: each gets a number of its own.
[[nodiscard]] std::vector<std::int64_t> true_persons(const std::vector<Sample>& samples);

/// Figures over the images whose person is known.
struct LabelQuality {
  std::int64_t images = 0;         ///< with a pseudo identity or without
  std::int64_t labeled = 0;        ///< those with one
  std::int64_t persons = 0;        ///< different ones on those
  std::int64_t largest_parts = 0;  ///< images of the person who is on most images of their pseudo identity
  std::int64_t pairs = 0;          ///< of two images with the same pseudo identity
  std::int64_t right_pairs = 0;    ///< those of one person
  std::int64_t true_pairs = 0;     ///< of two images of one person, with a pseudo identity or without

  /// right_pairs / pairs: how many of the pairs that training would take for one person are of one.
  [[nodiscard]] std::optional<double> precision() const;
  /// right_pairs / true_pairs: how many of the pairs that there are have been found.
  [[nodiscard]] std::optional<double> recall() const;
  /// 2 right_pairs / (pairs + true_pairs), the harmonic mean of both.
  [[nodiscard]] std::optional<double> f1() const;
  /// largest_parts / labeled: how many images have the right identity when each pseudo identity stands for
  /// the person who is on most of its images.
  [[nodiscard]] std::optional<double> purity() const;
};

/// @param identities the pseudo identity of each image, from 0, or unlabeled_identity
/// @param persons who is on it: true_persons()
[[nodiscard]] LabelQuality judge_labels(const std::vector<std::int64_t>& identities,
                                        const std::vector<std::int64_t>& persons);

}  // namespace kindred::ranking
