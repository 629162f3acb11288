#include "kindred/extract.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <torch/cuda.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "command/embed.h"
#include "file/feature_files.h"
#include "kindred/core/error.h"
#include "kindred/image/image.h"
#include "made_model.h"
#include "progress/progress.h"
#include "system/device.h"
#include "temporary_folder.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

const std::vector<fs::path>& made_plugins() {
  static const std::vector<fs::path> folders{fs::path(build_directory) / "lib/kindred/plugins"};
  return folders;
}

Extractor made_extractor(const fs::path& model, int batch = 16, std::vector<std::string> overrides = {}) {
  ExtractorOptions options;
  options.model = model;
  options.batch = batch;
  options.plugin_folders = made_plugins();
  options.overrides = std::move(overrides);
  return Extractor(options);
}

std::string refusal_of(const Extractor& extractor, const std::vector<cv::Mat>& crops,
                       const std::vector<CropOrigin>& origins = {}) {
  return message_of<DataError>([&] { static_cast<void>(extractor.extract(crops, origins)); });
}

std::string refused_options(const ExtractorOptions& options) {
  return message_of<Error>([&] { static_cast<void>(Extractor(options)); });
}

}  // namespace

TEST_CASE("an extractor says which version it is of") {
  CHECK(version() == KINDRED_VERSION);
  CHECK(version() == std::to_string(KINDRED_VERSION_MAJOR) + "." + std::to_string(KINDRED_VERSION_MINOR) +
                         "." + std::to_string(KINDRED_VERSION_PATCH));
}

TEST_CASE("descriptors of crops are those of `kindred embed` of the same images") {
  const TemporaryFolder folder;
  const auto model = write_made_model(folder);
  const auto crops = made_crops(21);
  fs::create_directory(folder / "images");
  for (std::size_t i = 0; i < crops.size(); ++i) {
    cv::imwrite((folder / ("images/" + std::to_string(100 + i) + ".png")).string(), crops[i]);
  }
  for (const auto* flip : {"false", "true"}) {
    const std::vector<std::string> overrides{std::string("embed.flip_test=") + flip};
    progress::SilentProgress silent;
    static_cast<void>(command::embed({model, folder / "images", folder / "features", overrides, false, {}},
                                     built_plugins(), silent));
    const auto features = file::read_features(folder / "features/gallery.npy");
    const auto extractor = made_extractor(model, 8, overrides);
    const auto descriptors = extractor.extract(crops);
    REQUIRE(descriptors.rows == 21);
    REQUIRE(descriptors.cols == features.descriptors.size(1));
    const cv::Mat expected(descriptors.size(), CV_32F, features.descriptors.data_ptr<float>());
    CHECK(largest_difference(descriptors, expected) < 1e-6);
    // Different crops differ: the comparison could fail.
    CHECK(largest_difference(descriptors.row(0), descriptors.row(1)) > 1e-3);
  }
}

TEST_CASE("an extractor knows sizes, and its descriptors have length 1") {
  const TemporaryFolder folder;
  const auto extractor = made_extractor(write_made_model(folder));
  CHECK(extractor.dim() == 64);
  CHECK(extractor.image_size() == cv::Size(24, 48));
  CHECK_FALSE(extractor.needs_cameras());
  CHECK_FALSE(extractor.needs_views());
  const auto descriptors = extractor.extract(made_crops(3));
  for (int i = 0; i < 3; ++i) CHECK(cv::norm(descriptors.row(i)) == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("a crop's descriptor does not depend on how many are extracted together") {
  const TemporaryFolder folder;
  const auto extractor = made_extractor(write_made_model(folder), 8);
  const auto crops = made_crops(19);
  cv::Mat single;
  for (const auto& crop : crops) single.push_back(extractor.extract(std::span(&crop, 1)));
  for (const std::size_t count : {2, 5, 8, 9, 15, 19}) {
    CAPTURE(count);
    const auto together = extractor.extract(std::span(crops).first(count));
    CHECK(largest_difference(together, single.rowRange(0, static_cast<int>(count))) < 1e-6);
  }
}

TEST_CASE("an extractor leaves the limit of pixels that an application has set") {
  const TemporaryFolder folder;
  const auto before = pixel_limit();
  set_pixel_limit(1'000'000);
  const auto extractor = made_extractor(write_made_model(folder), 16, {"loader.max_megapixels=30"});
  CHECK(extractor.extract(made_crops(2)).rows == 2);
  CHECK(pixel_limit() == 1'000'000);
  set_pixel_limit(before);
}

TEST_CASE("no crops give no descriptors") {
  const TemporaryFolder folder;
  const auto descriptors = made_extractor(write_made_model(folder)).extract({});
  CHECK(descriptors.rows == 0);
  CHECK(descriptors.type() == CV_32F);
}

TEST_CASE("gray crops, crops with transparency and parts of pictures are taken") {
  const TemporaryFolder folder;
  const auto extractor = made_extractor(write_made_model(folder));
  const auto crop = made_crops(1).front();
  cv::Mat gray;
  cv::Mat gray_bgr;
  cv::Mat bgra;
  cv::cvtColor(crop, gray, cv::COLOR_BGR2GRAY);
  cv::cvtColor(gray, gray_bgr, cv::COLOR_GRAY2BGR);
  cv::cvtColor(crop, bgra, cv::COLOR_BGR2BGRA);
  cv::Mat picture(200, 200, CV_8UC3, cv::Scalar(1, 2, 3));
  const auto part = picture(cv::Rect(17, 31, crop.cols, crop.rows));
  crop.copyTo(part);
  const std::array crops{crop, bgra, part, gray, gray_bgr};
  const auto descriptors = extractor.extract(crops);
  CHECK(largest_difference(descriptors.row(1), descriptors.row(0)) < 1e-6);
  CHECK(largest_difference(descriptors.row(2), descriptors.row(0)) < 1e-6);
  CHECK(largest_difference(descriptors.row(4), descriptors.row(3)) < 1e-6);
  CHECK(largest_difference(descriptors.row(3), descriptors.row(0)) > 1e-4);
  // BGR, not RGB: the colors are not exchanged silently.
  cv::Mat swapped;
  cv::cvtColor(crop, swapped, cv::COLOR_BGR2RGB);
  CHECK(largest_difference(extractor.extract(std::span(&swapped, 1)), descriptors.row(0)) > 1e-4);
  CHECK(cv::countNonZero(picture.reshape(1) != cv::Mat(picture.clone().reshape(1))) == 0);
}

TEST_CASE("a crop that is no picture is refused by its number, and the extractor goes on") {
  const TemporaryFolder folder;
  const auto extractor = made_extractor(write_made_model(folder));
  const auto crop = made_crops(1).front();
  CHECK(refusal_of(extractor, {crop, cv::Mat()}).starts_with("crops[1]: error: is empty"));
  CHECK(refusal_of(extractor, {cv::Mat(4, 4, CV_32FC3)})
            .starts_with("crops[0]: error: has 3 channels of 32-bit floats; a crop has"));
  CHECK(refusal_of(extractor, {cv::Mat(4, 4, CV_16UC1)})
            .starts_with("crops[0]: error: has 1 channel of 16 bits"));
  CHECK(refusal_of(extractor, {cv::Mat(4, 4, CV_8UC2)}).starts_with("crops[0]: error: has 2 channels"));
  const int sizes[] = {2, 3, 4};
  CHECK(refusal_of(extractor, {cv::Mat(3, sizes, CV_8UC1, cv::Scalar(0))})
            .starts_with("crops[0]: error: has 3 dimensions"));
  CHECK(refusal_of(extractor, {crop, crop}, {{1, 1}}) ==
        "origins: error: there are 1 for 2 crops; give one for each, or none");
  CHECK(extractor.extract(std::span(&crop, 1)).rows == 1);
  const cv::Mat pixel(1, 1, CV_8UC3, cv::Scalar(1, 2, 3));
  CHECK(cv::norm(extractor.extract(std::span(&pixel, 1))) == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("many threads extract at once what one thread extracts") {
  const TemporaryFolder folder;
  const auto extractor = made_extractor(write_made_model(folder), 4);
  const auto crops = made_crops(13);
  const auto expected = extractor.extract(crops);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 6; ++i) {
        const auto first = (t + i) % 5;
        const auto count = 1 + (3 * t + i) % 8;
        const auto rows = extractor.extract(std::span(crops).subspan(first, count));
        const auto right = expected.rowRange(static_cast<int>(first), static_cast<int>(first + count));
        if (!(largest_difference(rows, right) < 1e-6)) ++wrong;
        if (i == 3) {
          const auto bad = message_of<DataError>([&] {
            const std::array empty{cv::Mat()};
            static_cast<void>(extractor.extract(empty));
          });
          if (bad.empty()) ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("an extractor sets the threads of all that computes, and leaves those of OpenCV") {
  const TemporaryFolder folder;
  const auto before = at::get_num_threads();
  const auto of_opencv = cv::getNumThreads();
  const auto of_openblas =
      reinterpret_cast<int (*)()>(::dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));  // NOLINT: dlsym's way
  ExtractorOptions options;
  options.model = write_made_model(folder);
  options.plugin_folders = made_plugins();
  for (const int threads : {1, 3}) {
    options.threads = threads;
    const Extractor extractor(options);
    CHECK(at::get_num_threads() == threads);
    if (of_openblas != nullptr) CHECK(of_openblas() == threads);
    CHECK(cv::getNumThreads() == of_opencv);
  }
  system::set_computing_threads(before);
}

TEST_CASE("a model's id changes with the file and with what changes its descriptors, and with nothing else") {
  const TemporaryFolder folder;
  const auto model = write_made_model(folder);
  const auto id = made_extractor(model).model_id();
  CHECK(id.size() == 64);
  CHECK(made_extractor(model, 3, {"embed.batch_size=2", "loader.workers=1"}).model_id() == id);
  CHECK(made_extractor(model, 3, {"embed.flip_test=true"}).model_id() == id + " --set embed.flip_test=true");
  CHECK(made_extractor(write_made_model(folder, {"seed=8"}, "other.safetensors")).model_id() != id);
}

TEST_CASE("a model that needs cameras gets them with the crops, and says so when they are missing") {
  const TemporaryFolder folder;
  const auto model = write_made_model(folder,
                                      {"backbone={type=\"vit\", dim=32, depth=1, heads=2, image_height=48, "
                                       "image_width=24, stride=8, side_information=\"camera\"}"},
                                      "vit.safetensors", {2, 5});
  const auto extractor = made_extractor(model);
  CHECK(extractor.needs_cameras());
  CHECK_FALSE(extractor.needs_views());
  const auto crop = made_crops(1).front();
  const auto missing = refusal_of(extractor, {crop});
  CHECK(missing.starts_with("crops[0]: error: its camera is not known"));
  CHECK(missing.ends_with("; an application gives the crops' origins to Extractor::extract()"));
  CHECK(refusal_of(extractor, {crop}, {{3, -1}})
            .starts_with("crops[0]: error: its camera 3 is none of those of the"));
  const std::array crops{crop, crop, crop};
  const std::array origins{CropOrigin{2}, CropOrigin{5}, CropOrigin{2}};
  const auto descriptors = extractor.extract(crops, origins);
  CHECK(largest_difference(descriptors.row(0), descriptors.row(2)) < 1e-6);
  CHECK(largest_difference(descriptors.row(0), descriptors.row(1)) > 1e-6);
}

TEST_CASE(
    "crops for a model that knows the cameras of several data sets are of the one that is left in its "
    "recipe") {
  const TemporaryFolder folder;
  const auto model = write_made_model(folder,
                                      {"backbone={type=\"vit\", dim=32, depth=1, heads=2, image_height=48, "
                                       "image_width=24, stride=8, side_information=\"camera\"}",
                                       "dataset=[{type=\"synthetic\", name=\"a\"}, "
                                       "{type=\"synthetic\", name=\"b\", seed=2}]"},
                                      "vit.safetensors", {{"a", 1}, {"a", 2}, {"b", 2}, {"b", 3}});
  ExtractorOptions options;
  options.model = model;
  options.plugin_folders = made_plugins();
  CHECK(
      refused_options(options).find(
          "uses cameras, and knows those of 'a' and 'b', which have the same numbers: say of which data set "
          "the images are by leaving the others out of the model's recipe") != std::string::npos);
  const auto crop = made_crops(1).front();
  const auto of_a = made_extractor(model, 8, {"dataset.b.enabled=false"});
  const auto of_b = made_extractor(model, 8, {"dataset.a.enabled=false"});
  const std::array crops{crop};
  const std::array camera{CropOrigin{2}};
  CHECK(largest_difference(of_a.extract(crops, camera), of_b.extract(crops, camera)) > 1e-6);
  CHECK(refusal_of(of_b, {crop}, {{1, -1}})
            .starts_with("crops[0]: error: its camera 1 is none of those of the"));
  CHECK(refusal_of(of_a, {crop}, {{1, -1}}).empty());
}

TEST_CASE("options that cannot be are errors with what is allowed") {
  const TemporaryFolder folder;
  const auto model = write_made_model(folder);
  const auto with = [&](auto change) {
    ExtractorOptions options;
    options.model = model;
    options.plugin_folders = made_plugins();
    change(options);
    return refused_options(options);
  };
  CHECK(with([](auto& o) { o.model.clear(); }).starts_with("model: error: no model file is given"));
  CHECK(with([](auto& o) { o.batch = 0; }).starts_with("batch: error: 0 crops"));
  CHECK(with([](auto& o) { o.threads = -1; }).starts_with("threads: error: -1"));
  CHECK(with([](auto& o) {
          o.overrides = {"dataset.seed=2"};
        }).starts_with("--set dataset.seed=2: error: has no effect: the images that are given are read"));
  CHECK(with([](auto& o) { o.precision = "half"; }) ==
        "precision: error: 'half' is unknown; it is 'recipe', 'trained', 'auto', 'fp32', 'fp16' or 'bf16'");
  CHECK(with([](auto& o) { o.precision = "fp16"; }).find("fp16") != std::string::npos);
  CHECK(with([](auto& o) { o.device = "tpu"; }).find("tpu") != std::string::npos);
  CHECK(with([&](auto& o) { o.model = folder / "none"; }).find("does not exist") != std::string::npos);
  CHECK(with([&](auto& o) { o.plugin_folders = {folder / "none"}; }).find("is not a readable folder") !=
        std::string::npos);
  CHECK(with([](auto& o) { o.overrides = {"embed.flip=true"}; }).find("--set embed.flip=true") !=
        std::string::npos);
  CHECK(with([](auto&) {}).empty());
}

TEST_CASE("a model that leaves crops at their sizes is refused with the remedy") {
  const TemporaryFolder folder;
  const auto model = write_made_model(folder, {"augmentation=[{type=\"normalize\"}]"});
  ExtractorOptions options;
  options.model = model;
  options.plugin_folders = made_plugins();
  CHECK(refused_options(options).ends_with(
      "so they cannot be computed together; train it with the augmentation 'resize'"));
}

TEST_CASE("a GPU gives the descriptors of the processor") {
  if (!torch::cuda::is_available()) {
    MESSAGE("left out: there is no GPU");
    return;
  }
  const TemporaryFolder folder;
  const auto model = write_made_model(folder);
  const auto crops = made_crops(19);
  const auto expected = made_extractor(model).extract(crops);
  ExtractorOptions options;
  options.model = model;
  options.plugin_folders = made_plugins();
  options.device = "cuda";
  CHECK(largest_difference(Extractor(options).extract(crops), expected) < 5e-3);
}
