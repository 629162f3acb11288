#include "command/export.h"

#include <c10/core/GradMode.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <system_error>
#include <utility>

#include "command/machine.h"
#include "command/named_component.h"
#include "data/planned_loader.h"
#include "file/atomic_file.h"
#include "file/folder_beside.h"
#include "file/sha256.h"
#include "inference/exported_graph.h"
#include "inference/preparation.h"
#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "kindred/nn/activations.h"
#include "kindred/role/augmentation.h"
#include "kindred/role/exporter.h"
#include "model/model.h"
#include "model/model_file.h"
#include "system/version.h"
#include "training/image_size.h"

namespace kindred::command {
namespace {

namespace fs = std::filesystem;

/// How far descriptors of length 1 that the file gives may be from the model's.
struct Tolerance {
  double difference;  ///< of two numbers
  double cosine;      ///< at least
};

constexpr std::size_t most_images = 16;
constexpr std::size_t random_images = 8;

/// What a model's recipe does with an image at test time.
class TestPreparer {
 public:
  explicit TestPreparer(const recipe::ExtractionPlan& plan)
      : augmentations_(data::create_augmentations(plan)), seed_(plan.seed) {}

  /// [3, H, W], 32-bit floats
  torch::Tensor operator()(const cv::Mat& source) {
    auto image = source.clone();
    RandomStream random(seed_, {0});
    for (auto& augmentation : augmentations_) {
      if (augmentation->at_test_time()) augmentation->apply(image, random);
    }
    if (!image.isContinuous()) image = image.clone();
    const bool bytes = image.depth() == CV_8U;
    const auto pixels =
        torch::from_blob(image.data, {image.rows, image.cols, 3}, bytes ? torch::kByte : torch::kFloat);
    auto prepared = pixels.to(torch::kFloat).permute({2, 0, 1}).contiguous();
    return bytes ? prepared / 255 : prepared.clone();
  }

 private:
  std::vector<std::unique_ptr<Augmentation>> augmentations_;
  std::uint64_t seed_;
};

cv::Size size_of(const recipe::ModelPlan& plan, const fs::path& model) {
  const auto size = training::image_size(plan, /*at_test_time=*/true);
  if (size) return *size;
  throw Error("error: " + model.string() +
              ": its recipe does not bring images to one size, which an exported model needs; set it with an "
              "augmentation that runs at test time, such as 'resize'");
}

/// Smooth colors with noise, of about the size of people that a detector cuts out.
std::vector<cv::Mat> make_random_images(cv::Size size) {
  std::vector<cv::Mat> images;
  cv::RNG random(7);
  for (std::size_t i = 0; i < random_images; ++i) {
    const cv::Size own(std::max(8, size.width * random.uniform(60, 170) / 100),
                       std::max(8, size.height * random.uniform(60, 170) / 100));
    cv::Mat coarse(9, 5, CV_8UC3);
    random.fill(coarse, cv::RNG::UNIFORM, 0, 256);
    cv::Mat image;
    cv::resize(coarse, image, own, 0, 0, cv::INTER_CUBIC);
    cv::Mat noise(own, CV_8UC3);
    random.fill(noise, cv::RNG::UNIFORM, 0, 40);
    cv::addWeighted(image, 0.85, noise, 1, 0, image);
    images.push_back(image);
  }
  return images;
}

std::vector<cv::Mat> read_images(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return {read_image(path)};
  auto names = list_images(path, Depth::all_below);
  if (names.empty()) {
    throw DataError(path, "there are no images to compare on; " + what_is_instead_of_images(path));
  }
  // From the whole folder: the first ones show one person.
  std::vector<cv::Mat> images;
  const auto count = std::min(names.size(), most_images);
  for (std::size_t i = 0; i < count; ++i)
    images.push_back(read_image(path / names[i * names.size() / count]));
  return images;
}

/// How many images each batch has that the comparison is made on.
std::vector<std::size_t> batch_sizes(std::size_t images, std::optional<std::int64_t> batch) {
  if (batch) {
    const auto size = static_cast<std::size_t>(*batch);
    return std::vector<std::size_t>((images + size - 1) / size, size);
  }
  std::vector<std::size_t> sizes;
  std::size_t rest = images;
  for (const std::size_t size : {1, 3}) {
    if (rest == 0) break;
    sizes.push_back(std::min(size, rest));
    rest -= sizes.back();
  }
  if (rest > 0) sizes.push_back(rest);
  return sizes;
}

struct Comparison {
  std::vector<std::vector<torch::Tensor>> inputs;  ///< of the exported model, for each batch
  std::vector<Activations> images;                 ///< of the model itself
};

torch::Tensor places_of(std::size_t count, std::size_t known) {
  return torch::arange(static_cast<std::int64_t>(count)) %
         std::max<std::int64_t>(1, static_cast<std::int64_t>(known));
}

/// @param preparation that the exported model makes itself: it takes images as they are, those of a batch of
///                    one size, and the model gets them prepared by the same arithmetic
Comparison comparison_of(const std::vector<cv::Mat>& images, const model::Model& model, TestPreparer& prepare,
                         std::optional<std::int64_t> batch,
                         const std::optional<inference::Preparation>& preparation) {
  const bool raw = preparation.has_value();
  Comparison comparison;
  std::size_t next = 0;
  for (const auto count : batch_sizes(images.size(), batch)) {
    std::vector<torch::Tensor> pixels;
    std::vector<torch::Tensor> prepared;
    const auto size = images[next % images.size()].size();
    for (std::size_t i = 0; i < count; ++i) {
      cv::Mat image = images[next++ % images.size()].clone();
      if (raw && image.size() != size) {
        cv::Mat scaled;
        cv::resize(image, scaled, size);
        image = scaled;
      }
      pixels.push_back(torch::from_blob(image.data, {image.rows, image.cols, 3}, torch::kByte).clone());
      prepared.push_back(prepare(image));
      if (!raw) pixels.clear();
    }
    Activations network_input(raw ? inference::prepare_images(*preparation, torch::stack(pixels))
                                  : torch::stack(prepared));
    std::vector<torch::Tensor> inputs = {raw ? torch::stack(pixels) : network_input.values};
    if (model.side_information().cameras) {
      network_input.cameras = places_of(count, model.population().cameras.size());
      inputs.push_back(network_input.cameras);
    }
    if (model.side_information().views) {
      network_input.views = places_of(count, model.population().views.size());
      inputs.push_back(network_input.views);
    }
    comparison.inputs.push_back(std::move(inputs));
    comparison.images.push_back(std::move(network_input));
  }
  return comparison;
}

std::string numbers_text(const std::array<double, 3>& numbers) {
  std::string text;
  for (const auto number : numbers) {
    auto digits = std::to_string(number);
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits += '0';
    text += (text.empty() ? "" : ", ") + digits;
  }
  return text;
}

std::string list_text(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const auto number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

std::string list_text(const std::vector<model::Camera>& cameras) {
  std::string text;
  for (const auto& camera : cameras) text += (text.empty() ? "" : ", ") + camera.text();
  return text;
}

std::string tensor_text(const ExportedTensor& tensor) {
  std::string sizes;
  for (const auto& size : tensor.sizes) {
    sizes += (sizes.empty() ? "" : ", ") + (size.size < 0 ? size.name : std::to_string(size.size));
  }
  const auto* type = tensor.type == torch::kByte   ? "uint8"
                     : tensor.type == torch::kLong ? "int64"
                                                   : "float32";
  return tensor.name + " [" + sizes + "] " + type;
}

std::string shapes_text(const ExportedModel& model) {
  std::string text;
  for (const auto& input : model.inputs) text += (text.empty() ? "" : ", ") + tensor_text(input);
  return text + " -> " + tensor_text(model.output);
}

/// What a user of the file does with an image.
std::string preparation_text(const std::optional<inference::Preparation>& preparation, cv::Size size) {
  const auto pixels = std::to_string(size.width) + " x " + std::to_string(size.height);
  if (!preparation) {
    return "the recipe's own, to " + pixels +
           " pixels, which is more than resizing and standardizing: see the augmentations of the model's "
           "recipe";
  }
  return "RGB, resized to " + pixels + " pixels (width x height), " +
         inference::scaling_text(preparation->scaling) + ", divided by 255, minus (" +
         numbers_text(preparation->mean) + "), divided by (" + numbers_text(preparation->deviation) +
         "), as channels, rows, columns";
}

std::vector<std::pair<std::string, std::string>> about_file(
    const ExportRequest& request, const model::ModelFile& file, cv::Size size,
    const std::optional<inference::Preparation>& preparation) {
  std::vector<std::pair<std::string, std::string>> about = {
      {"kindred.version", system::kindred_version},
      {"kindred.model_sha256", file::sha256_of_file(request.model)},
      {"image_height", std::to_string(size.height)},
      {"image_width", std::to_string(size.width)},
      {"color_order", "RGB"}};
  if (preparation) {
    about.insert(about.end(), {{"interpolation", inference::scaling_text(preparation->scaling)},
                               {"scale", "1/255"},
                               {"mean", numbers_text(preparation->mean)},
                               {"std", numbers_text(preparation->deviation)}});
  }
  about.emplace_back("preprocessing",
                     request.with_preprocessing
                         ? "in the model: images are RGB, 8 bits, rows, columns, channels, of any size"
                         : preparation_text(preparation, size));
  about.emplace_back("precision", request.half ? "fp16" : "fp32");
  about.emplace_back("descriptor_dim", std::to_string(file.model->outputs().back().dim));
  about.emplace_back("descriptor", "of length 1: the similarity of two is their dot product");
  about.emplace_back("flip_test", file.plan.embed.flip_test ? "in the model" : "no");
  const auto& side = file.model->side_information();
  const auto& population = file.model->population();
  if (side.cameras) about.emplace_back("cameras", list_text(population.cameras));
  if (side.views) about.emplace_back("views", list_text(population.views));
  return about;
}

void require_writable_name(const ExportRequest& request, const std::string& ending) {
  std::error_code failure;
  const auto there = fs::symlink_status(request.out, failure);
  if (!fs::status_known(there)) throw DataError(request.out, "cannot be written: " + failure.message());
  if (fs::exists(there)) {
    throw DataError(request.out, "already exists; choose another name, or delete it first");
  }
  if (request.out.extension() != "." + ending) {
    throw RecipeError({}, "--out " + request.out.string() + ": files of the format '" + request.format +
                              "' end in '." + ending + "'");
  }
}

Tolerance tolerance_of(const ExportRequest& request) {
  if (request.half) return {1e-2, 0.999};
  // Pixels are rounded to whole numbers again, and those halfway between two may fall on either side.
  if (request.with_preprocessing) return {5e-3, 0.9999};
  return {1e-3, 0.9999};
}

/// The larger of two; not a number where one of them is none, which is worse than anything.
double larger(double a, double b) {
  return std::isnan(a) || a > b ? a : b;
}

}  // namespace

ExportOutcome export_model(const ExportRequest& request, const Catalog& catalog,
                           progress::ProgressSink& progress) {
  auto overrides = request.overrides;
  const auto own = take_overrides(overrides, std::string(Exporter::role_name));
  const auto exporter =
      recipe::choose_component<Exporter>(
          component_recipe("--to", std::string(Exporter::role_name), request.format, own), catalog)
          .create({request.python});
  require_writable_name(request, exporter->ending());
  const auto images = request.images.empty() ? std::vector<cv::Mat>() : read_images(request.images);

  model::require_no_data_overrides(overrides, "an export reads no data set; leave it out");
  const auto file = model::read_model_file(request.model, catalog, overrides);
  for (const auto& note : file.notes) progress.note(note);
  prepare_machine(file.plan.machine, progress);
  const torch::NoGradGuard no_gradients;
  const auto size = size_of(file.plan, request.model);
  TestPreparer prepare(file.plan);
  const auto preparation =
      inference::find_preparation([&](const cv::Mat& image) { return prepare(image); }, size);
  if (request.with_preprocessing && !preparation) {
    throw Error(
        "error: --with-preprocessing: what the model's recipe does to images is more than resizing and "
        "standardizing, so it cannot be put into the file; export without, and do it before");
  }
  inference::GraphOptions options{size, request.batch, file.plan.embed.flip_test};
  if (request.with_preprocessing) options.preparation = preparation;
  auto exported = inference::export_graph(*file.model, options);
  exported.half = request.half;
  exported.about = about_file(request, file, size, preparation);

  const file::FolderBeside folder(request.out);
  const auto written = folder.path() / request.out.filename();
  exporter->write(exported, written);

  const auto comparison = comparison_of(images.empty() ? make_random_images(size) : images, *file.model,
                                        prepare, request.batch, options.preparation);
  ExportOutcome outcome;
  const auto run = exporter->run(written, comparison.inputs);
  outcome.runtime = run.runtime;
  outcome.why_not = run.why_not;
  outcome.are_random = images.empty();
  if (run.why_not.empty()) {
    for (std::size_t i = 0; i < run.outputs.size(); ++i) {
      const auto expected = inference::expected_rows(*file.model, comparison.images[i], options.flip_test);
      const auto& rows = run.outputs[i];
      const bool fits = rows.sizes() == expected.sizes();
      const auto difference = fits ? (rows - expected).abs().max().item<double>() : 2.0;
      const auto cosine = fits ? (rows * expected).sum(1).min().item<double>() : -1.0;
      outcome.images += expected.size(0);
      outcome.largest_difference = larger(outcome.largest_difference, difference);
      outcome.least_cosine = -larger(-outcome.least_cosine, -cosine);
    }
    const auto [difference, cosine] = tolerance_of(request);
    const bool alike = outcome.largest_difference <= difference && outcome.least_cosine >= cosine;
    if (!alike) {
      throw Error("error: " + outcome.runtime + " gives other descriptors than the model (cosine down to " +
                  std::to_string(outcome.least_cosine) + ", difference up to " +
                  std::to_string(outcome.largest_difference) + ", at most " + std::to_string(difference) +
                  " is allowed), so no file was written; " +
                  (request.half ? "export in 32 bits: --precision fp32"
                                : "please report it, with the recipe of the model"));
    }
  }
  outcome.bytes = fs::file_size(written);
  outcome.shapes = shapes_text(exported);
  if (!request.with_preprocessing) outcome.preparation = preparation_text(preparation, size);
  outcome.about = exported.about;
  file::put_in_place(written, request.out);
  return outcome;
}

}  // namespace kindred::command
