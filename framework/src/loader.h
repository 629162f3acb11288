// Decodes and augments images ahead of their use.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kindred/role/augmentation.h"
#include "kindred/role/dataset.h"
#include "kindred/sample.h"

namespace kindred {

struct Batch {
  torch::Tensor images;              ///< [N, 3, H, W], 32-bit floats
  std::vector<std::size_t> samples;  ///< indices into the loader's samples; bad images are left out
};

struct LoaderOptions {
  std::int64_t workers = 1;
  std::int64_t prefetch = 4;  ///< batches held ready at most
  bool skip_bad_images = false;
  std::uint64_t seed = 1;
};

/// One pass over a list of batches. Images are the same whatever the number of workers: sample i of epoch e
/// draws from a random stream made of (seed, e, position in the epoch). Errors of workers are thrown by
/// next().
class Loader {
 public:
  /// @param augmentations applied in order to each image; when `training` is false only those at_test_time()
  /// All arguments taken by reference must outlive the loader.
  Loader(const Dataset& dataset, const std::vector<Sample>& samples,
         const std::vector<std::unique_ptr<Augmentation>>& augmentations, LoaderOptions options,
         bool training);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Starts a pass. `first_batch` > 0 skips batches that an interrupted pass has done, without decoding them.
  void start(std::vector<std::vector<std::size_t>> batches, std::int64_t epoch, std::size_t first_batch = 0);
  /// The next batch in order, or nothing when the pass is over.
  [[nodiscard]] std::optional<Batch> next();
  /// Images skipped as bad so far, with the first messages (at most 10).
  [[nodiscard]] std::int64_t skipped() const;
  [[nodiscard]] std::vector<std::string> skip_messages() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kindred
