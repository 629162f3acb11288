#include "application/extractor_parts.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <map>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "data/open_choice.h"
#include "data/planned_loader.h"
#include "file/sha256.h"
#include "inference/feature_extraction.h"
#include "inference/unit_rows.h"
#include "kindred/core/error.h"
#include "model/population.h"
#include "progress/meter.h"
#include "recipe/plan.h"
#include "system/device.h"
#include "system/out_of_memory.h"
#include "system/processors.h"

namespace kindred::application {
namespace {

/// What one graph computes at once at most (inference/frozen_network.h).
constexpr std::int64_t most_images_of_a_graph = 32;

/// An application's crops as a data set, whose images are called crops[0], crops[1], ...
class Crops final : public Dataset {
 public:
  /// Throws DataError for a crop that is no image.
  Crops(std::span<const cv::Mat> crops, std::span<const CropOrigin> origins) : crops_(crops) {
    if (!origins.empty() && origins.size() != crops.size()) {
      throw DataError("origins", "there are " + std::to_string(origins.size()) + " for " +
                                     std::to_string(crops.size()) + " crops; give one for each, or none");
    }
    samples_.resize(crops.size());
    for (std::size_t i = 0; i < crops.size(); ++i) {
      auto& sample = samples_[i];
      sample.path = "crops[" + std::to_string(i) + "]";
      sample.split = Split::gallery;
      if (!origins.empty()) {
        sample.camera = origins[i].camera;
        sample.view = origins[i].view;
      }
      require_image(crops[i], sample.path);
    }
  }

  [[nodiscard]] std::vector<Sample> samples() const override { return samples_; }
  [[nodiscard]] const std::vector<Sample>& all() const { return samples_; }

  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    const auto& crop = crops_[static_cast<std::size_t>(&sample - samples_.data())];
    cv::Mat rgb;
    cv::cvtColor(crop, rgb,
                 crop.channels() == 1   ? cv::COLOR_GRAY2RGB
                 : crop.channels() == 4 ? cv::COLOR_BGRA2RGB
                                        : cv::COLOR_BGR2RGB);
    return rgb;
  }

 private:
  static void require_image(const cv::Mat& crop, const std::string& name) {
    constexpr const char* allowed =
        "; a crop has two dimensions and 8 bits a channel: BGR (CV_8UC3), gray (CV_8UC1) or BGRA (CV_8UC4)";
    if (crop.empty()) {
      throw DataError(name,
                      std::string("is empty; leave out crops that lie outside of their picture") + allowed);
    }
    if (crop.dims != 2) throw DataError(name, "has " + std::to_string(crop.dims) + " dimensions" + allowed);
    if (crop.depth() != CV_8U || crop.channels() == 2 || crop.channels() > 4) {
      const std::array depths{"8 bits",  "8 bits with a sign", "16 bits",       "16 bits with a sign",
                              "32 bits", "32-bit floats",      "64-bit floats", "16-bit floats"};
      throw DataError(name, "has " + std::to_string(crop.channels()) +
                                (crop.channels() == 1 ? " channel of " : " channels of ") +
                                depths.at(static_cast<std::size_t>(crop.depth())) + allowed);
    }
  }

  std::span<const cv::Mat> crops_;
  std::vector<Sample> samples_;
};

system::Precision precision_of(const std::string& name, system::Precision of_recipe) {
  static const std::map<std::string, system::Precision> known = {{"trained", system::Precision::trained},
                                                                 {"auto", system::Precision::automatic},
                                                                 {"fp32", system::Precision::fp32},
                                                                 {"fp16", system::Precision::fp16},
                                                                 {"bf16", system::Precision::bf16}};
  if (name == "recipe") return of_recipe;
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  throw Error("precision: error: '" + name +
              "' is unknown; it is 'recipe', 'trained', 'auto', 'fp32', 'fp16' or 'bf16'");
}

system::Computing computing_of(const ExtractorOptions& options, recipe::ModelPlan& plan) {
  const auto device =
      system::resolve_device(options.device == "recipe" ? plan.machine.device : options.device);
  plan.embed.precision = precision_of(options.precision, plan.embed.precision);
  return {device, inference::inference_precision(plan, device)};
}

/// Overrides that change nothing of a descriptor.
bool changes_nothing(const std::string& override_text) {
  const std::array unimportant{"machine.",      "loader.",         "embed.batch_size",
                               "embed.storage", "embed.precision", "embed.frames",
                               "dataset",       "folds.",          "train."};
  return std::any_of(unimportant.begin(), unimportant.end(),
                     [&](const char* key) { return override_text.starts_with(key); });
}

std::string model_id_of(const ExtractorOptions& options) {
  auto id = file::sha256_of_file(options.model);
  for (const auto& text : options.overrides) {
    if (!changes_nothing(text)) id += " --set " + text;
  }
  return id;
}

const ExtractorOptions& checked(const ExtractorOptions& options) {
  if (options.model.empty()) {
    throw Error("model: error: no model file is given; name the model.safetensors of a training");
  }
  if (options.batch < 1) {
    throw Error("batch: error: " + std::to_string(options.batch) +
                " crops cannot be computed at once; give at least 1");
  }
  if (options.threads < 0) {
    throw Error("threads: error: " + std::to_string(options.threads) +
                " is no number of threads; give at least 1, or 0 to leave LibTorch's as they are");
  }
  model::require_no_data_overrides(options.overrides,
                                   "the images that are given are read, and not the data of the model's "
                                   "recipe; leave it out");
  return options;
}

/// A picture with some structure, and no other than before.
cv::Mat test_picture(int height, int width) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      picture.at<cv::Vec3b>(y, x) =
          cv::Vec3b(static_cast<std::uint8_t>(255 * x / width), static_cast<std::uint8_t>(255 * y / height),
                    static_cast<std::uint8_t>((x / 7 + y / 11) % 2 * 200));
    }
  }
  return picture;
}

}  // namespace

/// A set of augmentations that nobody else uses meanwhile.
class ExtractorParts::Borrowed {
 public:
  explicit Borrowed(ExtractorParts& parts) : parts_(parts) {
    {
      const std::lock_guard lock(parts_.pool_mutex_);
      if (!parts_.pool_.empty()) {
        augmentations_ = std::move(parts_.pool_.back());
        parts_.pool_.pop_back();
        return;
      }
    }
    augmentations_ = data::create_augmentations(parts_.file_.plan);
  }
  ~Borrowed() {
    const std::lock_guard lock(parts_.pool_mutex_);
    parts_.pool_.push_back(std::move(augmentations_));
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;

  [[nodiscard]] const Augmentations& get() const { return augmentations_; }

 private:
  ExtractorParts& parts_;
  Augmentations augmentations_;
};

ExtractorParts::ExtractorParts(const ExtractorOptions& options, std::shared_ptr<const Catalog> catalog,
                               std::vector<std::string> notes)
    : catalog_(std::move(catalog)),
      batch_(checked(options).batch),
      file_(model::read_model_file(options.model, *catalog_, options.overrides)),
      model_id_(model_id_of(options)),
      notes_(std::move(notes)),
      computing_(computing_of(options, file_.plan)),
      loading_(data::loader_options(file_.plan, computing_.device)),
      single_(*file_.model, file_.plan.embed.flip_test, computing_),
      many_(*file_.model, file_.plan.embed.flip_test, computing_, {.batch = batch_}) {
  notes_.insert(notes_.end(), file_.notes.begin(), file_.notes.end());
  file_.plan.embed.batch_size = batch_;
  loading_.skip_bad_images = false;
  if (options.threads > 0) system::set_computing_threads(options.threads);
  system::place_module(*file_.model, computing_.device);
  probe(options.model.string());
}

cv::Mat ExtractorParts::extract(std::span<const cv::Mat> crops, std::span<const CropOrigin> origins) {
  cv::Mat result(static_cast<int>(crops.size()), static_cast<int>(dim_), CV_32F);
  if (crops.empty()) return result;
  const Crops dataset(crops, origins);
  try {
    file_.model->require_known(dataset.all());
  } catch (const DataError& error) {
    if (!origins.empty()) throw;
    throw data::with_addition(error, "; an application gives the crops' origins to Extractor::extract()");
  }
  progress::SilentProgress silent;
  extract(dataset, dataset.all(), result.ptr<float>(), silent);
  return result;
}

void ExtractorParts::extract(const Dataset& dataset, const std::vector<Sample>& samples, float* rows,
                             progress::ProgressSink& progress) {
  progress::Meter meter(progress, "extract", static_cast<std::int64_t>(samples.size()));
  std::int64_t done = 0;
  describe_all(dataset, samples, [&](const torch::Tensor& found, const data::Batch& batch) {
    inference::require_unit_rows(found, samples, batch.samples);
    const auto plain = found.contiguous();
    const auto* row = plain.data_ptr<float>();
    for (const auto place : batch.samples) {
      std::memcpy(rows + static_cast<std::int64_t>(place) * dim_, row,
                  static_cast<std::size_t>(dim_) * sizeof(float));
      row += dim_;
    }
    done += found.size(0);
    meter.update(done);
  });
}

file::Features ExtractorParts::extract_features(const Dataset& dataset, const std::vector<Sample>& samples,
                                                const std::string& what, progress::ProgressSink& progress) {
  const std::lock_guard lock(network_mutex_);
  return inference::extract_features(*file_.model, file_.plan, dataset, samples, what, computing_, progress);
}

void ExtractorParts::probe(const std::string& file) {
  const auto& population = file_.model->population();
  const auto camera = std::find_if(
      population.cameras.begin(), population.cameras.end(), [&](const model::Camera& of_training) {
        return !population.has_cameras_of_several() || of_training.dataset == population.dataset;
      });
  const bool has_camera = camera != population.cameras.end();
  const auto& side = file_.model->side_information();
  if (side.cameras && side.refuses_unknown && !has_camera) {
    std::vector<std::string> names;
    for (const auto& one : population.cameras) {
      if (names.empty() || names.back() != one.dataset) names.push_back(one.dataset);
    }
    throw DataError(file,
                    "uses cameras, and knows those of " + quoted_list(names) +
                        ", which have the same numbers: say of which data set the images are by leaving "
                        "the others out of the model's recipe, with --set dataset.NAME.enabled=false or "
                        "the same override of an application");
  }
  const CropOrigin known{has_camera ? camera->number : -1,
                         population.views.empty() ? -1 : population.views.front()};
  for (const auto& size : {cv::Size(64, 128), cv::Size(50, 90)}) {
    const std::array crops{test_picture(size.height, size.width)};
    const std::array origins{known};
    const Crops dataset(crops, origins);
    cv::Size prepared;
    describe_all(dataset, dataset.all(), [&](const torch::Tensor& rows, const data::Batch& batch) {
      dim_ = rows.size(1);
      prepared = cv::Size(static_cast<int>(batch.images.size(3)), static_cast<int>(batch.images.size(2)));
      if (rows.size(0) != 1 || !torch::isfinite(rows).all().item<bool>() ||
          rows.abs().max().item<float>() == 0) {
        throw DataError(file,
                        "gives a descriptor of a test image that " +
                            std::string(rows.abs().max().item<float>() == 0 ? "is zero" : "is not finite") +
                            ": its weights are broken; use another checkpoint");
      }
    });
    if (!image_size_.empty() && image_size_ != prepared) {
      throw DataError(
          file,
          "its preprocessing leaves images of different sizes as they are, so they cannot be computed "
          "together; train it with the augmentation 'resize'");
    }
    image_size_ = prepared;
  }
  if (!single_.why_not_fused().empty()) {
    notes_.push_back("the network cannot be fused, so features are extracted more slowly: " +
                     single_.why_not_fused());
  }
}

template <class Take>
void ExtractorParts::describe_all(const Dataset& dataset, const std::vector<Sample>& samples, Take take) {
  const Borrowed augmentations(*this);
  auto loading = loading_;
  loading.workers = std::min(loading.workers, static_cast<std::int64_t>(samples.size()));
  data::Loader loader(dataset, samples, augmentations.get(), loading, false);
  loader.start(data::consecutive_batches(samples.size(), static_cast<std::size_t>(batch_)), 0);
  while (const auto batch = loader.next()) {
    const auto input =
        model::network_input(batch->images, samples, batch->samples, file_.model->population());
    take(describe(input), *batch);
  }
}

torch::Tensor ExtractorParts::describe(const Activations& images) {
  const torch::NoGradGuard no_gradients;
  const std::lock_guard lock(network_mutex_);
  const auto count = images.values.size(0);
  try {
    if (!computing_.device.is_cpu()) return many_.describe(images).to(torch::kCPU);
    const auto of_a_graph = std::min(batch_, most_images_of_a_graph);
    // Up to half a graph, single images are not slower.
    if (2 * count <= of_a_graph || of_a_graph == 1) return single_.describe(images);
    return many_.describe(images);
  } catch (const std::exception& error) {
    if (!system::is_out_of_memory(error)) throw;
    throw system::batch_too_large(
        computing_.device, images.values,
        "compute fewer crops at once (ExtractorOptions::batch), or use a smaller model");
  }
}

}  // namespace kindred::application
