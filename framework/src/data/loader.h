// Decodes and augments images ahead of their use.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kindred/core/sample.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/dataset.h"

namespace kindred::data {

struct Batch {
  /// [N, 3, H, W], 32-bit floats, contiguous, on the CPU. The memory is used for a later batch once no tensor
  /// looks at it: whoever still reads it, a GPU too, has to keep one.
  torch::Tensor images;
  std::vector<std::size_t> samples;  ///< N indices into the loader's samples; bad images are left out
  std::size_t index = 0;  ///< place in the pass; an interrupted pass goes on with first_batch = index + 1
};

struct LoaderOptions {
  std::int64_t workers = 1;   ///< threads, at least 1
  std::int64_t prefetch = 4;  ///< batches held at most, finished or in work; at least 1
  bool skip_bad_images = false;
  std::int64_t max_pixels = 50'000'000;  ///< of an image, at least 1
  std::uint64_t seed = 1;
  /// Batches are made in page-locked memory, from which a GPU copies by itself while the next are decoded;
  /// where the system gives none, in plain memory.
  bool pinned = false;
};

/// Passes over lists of batches, decoded and augmented by threads of its own that live as long as the loader.
/// Images are the same whatever the number of workers: the image at a position of epoch e draws from a random
/// stream made of (seed, e, position), where positions count all images of the pass's list from 0.
///
/// Workers run no LibTorch operator, only OpenCV and their own loops: at::set_num_threads() cannot hold a
/// single thread to one core, it also changes what threads made later start with.
///
/// All members are called from one thread at a time.
class Loader {
 public:
  /// @param augmentations applied in order to each image; when `training` is false only those at_test_time()
  /// All arguments taken by reference must outlive the loader.
  Loader(const Dataset& dataset, const std::vector<Sample>& samples,
         const std::vector<std::unique_ptr<Augmentation>>& augmentations, LoaderOptions options,
         bool training);
  /// Ends a pass that is under way; returns when the images in work are done.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Starts a pass and begins to work ahead; a pass that is under way is dropped. `first_batch` > 0 leaves
  /// out batches that an interrupted pass has delivered, and the rest is as it was there. They are not even
  /// decoded, unless an augmentation is ordered(): then their images go through it again, to bring it to the
  /// state in which the interrupted pass had it, and only the delivery is left out.
  /// @param shares for each batch the places in it that are worked on, ascending, by this process of several;
  /// empty: all of all batches. Images are the same as without; an augmentation that is ordered() sees those
  /// of the shares alone.
  void start(std::vector<std::vector<std::size_t>> batches, std::int64_t epoch, std::size_t first_batch = 0,
             const std::vector<std::vector<std::size_t>>& shares = {});

  /// The next batch in order, or nothing when the pass is over. A batch whose images are all bad is passed
  /// over; with shares it comes without images, since others may have some. Throws what decoding or
  /// augmenting threw, for the first such image in the order of the pass, once the batches before it have
  /// been delivered: DataError for an unreadable image unless those are skipped, and for images of different
  /// sizes in a batch. The pass is then over; start() begins another.
  [[nodiscard]] std::optional<Batch> next();

  /// Images left out of delivered batches as bad so far, with the first messages (at most 10).
  [[nodiscard]] std::int64_t skipped() const;
  [[nodiscard]] std::vector<std::string> skip_messages() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kindred::data
