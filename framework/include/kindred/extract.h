// For applications: descriptors of people in pictures, by a trained model.
//
//   kindred::Extractor extractor({.model = "model.safetensors"});
//   cv::Mat descriptors = extractor.extract(crops);  // N x D, rows of length 1
//
// Link to Kindred::kindred. Nothing of LibTorch is needed to compile against this header. All errors that a
// user can cause are kindred::Error (kindred/core/error.h), with the texts of the launcher's commands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <span>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "kindred/core/export.h"
#include "kindred/version.h"

namespace kindred {

namespace application {
class ExtractorParts;
}  // namespace application

/// The version of the library that is loaded: "0.1.0". KINDRED_VERSION is that of the headers.
[[nodiscard]] KINDRED_API std::string version();

struct ExtractorOptions {
  std::filesystem::path model{};  ///< the model file: model.safetensors
  /// "cpu", "cuda", "cuda:1", ..., "auto": a GPU where one works, or "recipe": as the model's recipe says
  std::string device = "cpu";
  /// "recipe": as the model's recipe says, which is what `kindred embed` does; "trained": that of the
  /// training, where the device supports it; "auto": what suits the device; "fp32", "fp16" or "bf16"
  std::string precision = "recipe";
  int batch = 16;  ///< crops that the network computes at once, at least 1
  /// Threads that LibTorch computes with, in the whole process. 0: left as they are.
  int threads = 0;
  /// Looked at before the folders of KINDRED_PLUGIN_PATH (separated by ':') and the plugins that were
  /// installed with this library.
  std::vector<std::filesystem::path> plugin_folders{};
  /// Of the model's recipe, as `--set` of the launcher: "embed.flip_test=true".
  std::vector<std::string> overrides{};
};

/// What some models use of a crop beside its pixels; -1: unknown. The numbers are those of the training data;
/// where these are several data sets, of the only one that ExtractorOptions::overrides leave in the recipe.
struct CropOrigin {
  std::int64_t camera = -1;
  std::int64_t view = -1;
};

/// A model in memory. extract() may be called by several threads at once: crops are prepared in parallel, the
/// network, which all of them share, computes one batch after the other with all of LibTorch's threads. While
/// one lives, freed memory of the process is kept for the next batch.
class KINDRED_API Extractor {
 public:
  /// Loads the plugins and the model, and extracts features of two test images. Throws DataError for the
  /// file, PluginError when no plugin offers what the model needs, RecipeError for an override, Error for
  /// device, precision, batch or threads.
  explicit Extractor(const ExtractorOptions& options);
  /// For the engine itself.
  explicit Extractor(std::unique_ptr<application::ExtractorParts> parts);
  Extractor(Extractor&& other) noexcept;
  Extractor& operator=(Extractor&& other) noexcept;
  ~Extractor();

  /// The descriptors of crops, N x dim() of CV_32F, rows of length 1: those that `kindred embed` computes of
  /// the same images, up to rounding. None for no crops.
  /// @param crops of any size, 8 bits: BGR, gray, or BGRA, of which the transparency is dropped; parts of
  /// larger images too. Resizing and normalization are the model's own (image_size()).
  /// @param origins one for each crop, for a model that uses cameras or views; otherwise they are ignored
  /// Throws DataError that names the crop ("crops[3]", from 0) which is empty, of another type, or not of a
  /// camera or view that the model knows.
  [[nodiscard]] cv::Mat extract(std::span<const cv::Mat> crops,
                                std::span<const CropOrigin> origins = {}) const;

  /// The length of a descriptor.
  [[nodiscard]] int dim() const;
  /// What crops are resized to.
  [[nodiscard]] cv::Size image_size() const;
  [[nodiscard]] bool needs_cameras() const;
  [[nodiscard]] bool needs_views() const;
  /// Says which descriptors can be compared: the SHA-256 of the model file, with the overrides that change
  /// descriptors. A gallery keeps it (kindred/search.h).
  [[nodiscard]] const std::string& model_id() const;
  /// What a user should know: plugins that were refused, a precision other than that of the training, ...
  [[nodiscard]] const std::vector<std::string>& notes() const;

 private:
  std::unique_ptr<application::ExtractorParts> parts_;
};

}  // namespace kindred
