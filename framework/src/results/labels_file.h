// labels.csv and labels.json: pseudo identities, and what is to be said of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::results {

/// The images that have a pseudo identity, as a list of samples (sample_list.h).
struct LabelsFile {
  static constexpr const char* name = "labels.csv";

  std::vector<Sample> samples;  ///< identity: the pseudo identity, from 0; split: query or gallery

  /// Images of each identity.
  [[nodiscard]] std::map<std::int64_t, std::int64_t> sizes() const;

  /// Throws DataError naming file and line, also when an image has no identity or is there twice.
  [[nodiscard]] static LabelsFile read(const std::filesystem::path& file);
  /// Atomic.
  void write(const std::filesystem::path& file) const;
};

/// An object with these members as keys, in this order; what is missing is null.
struct LabelFiguresFile {
  static constexpr const char* name = "labels.json";

  std::int64_t identities = 0;
  std::int64_t images = 0;  ///< that have one
  std::int64_t all_images = 0;

  /// Images that have none, and why.
  struct LeftOut {
    std::string reason;
    std::int64_t images = 0;
  };
  std::vector<LeftOut> left_out;

  struct Sizes {
    std::int64_t minimum = 0;
    double mean = 0;
    std::int64_t maximum = 0;
  };
  std::optional<Sizes> images_per_identity;  ///< nothing without any identity

  /// What LabelQuality says; nothing where there is nothing to divide by.
  struct Truth {
    std::int64_t images = 0;  ///< of which somebody has said who is on them
    std::int64_t labeled = 0;
    std::int64_t persons = 0;
    std::optional<double> precision;
    std::optional<double> recall;
    std::optional<double> f1;
    std::optional<double> purity;
  };
  std::optional<Truth> truth;  ///< nothing when nobody has said who is on any image

  /// Throws DataError when the file cannot be read or is damaged.
  [[nodiscard]] static LabelFiguresFile read(const std::filesystem::path& file);
  /// Atomic.
  void write(const std::filesystem::path& file) const;
};

}  // namespace kindred::results
