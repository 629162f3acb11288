#include "data/planned_loader.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <utility>
#include <vector>

#include "data_files.h"
#include "kindred/image/image.h"
#include "made_dataset.h"
#include "recipe/plan.h"
#include "system/processors.h"
#include "system/ranks.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;

namespace {

class PicturesOnDisk final : public Dataset {
 public:
  PicturesOnDisk(std::filesystem::path folder, std::vector<std::string> names)
      : folder_(std::move(folder)), names_(std::move(names)) {}
  [[nodiscard]] std::vector<Sample> samples() const override {
    std::vector<Sample> samples;
    for (const auto& name : names_) samples.push_back({name, 1, 1, "", Split::gallery});
    return samples;
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    return read_image(folder_ / sample.path);
  }

 private:
  std::filesystem::path folder_;
  std::vector<std::string> names_;
};

}  // namespace

TEST_CASE("an ending that cannot be read is found before the first batch, with its number of images") {
  MadeDataset dataset;
  dataset.add("a.jpg", 1, 1, Split::train);
  dataset.add_unreadable("b.heic", 1, 1, Split::gallery);
  dataset.add_unreadable("sub.heic/c.heic", 1, 1, Split::gallery);
  dataset.add_unreadable("d.jpg", 1, 1, Split::train);
  recipe::ExtractionPlan plan;
  CHECK(error_of([&] { try_each_ending(plan, dataset, dataset.samples()); }) ==
        "b.heic: error: is empty (0 bytes) (2 images end in .heic; loader.skip_bad_images = true leaves out "
        "those "
        "that cannot be read)");
  plan.loader.skip_bad_images = true;
  CHECK_NOTHROW(try_each_ending(plan, dataset, dataset.samples()));
}

TEST_CASE("a loader has a worker for each usable processor, which the ranks of a machine share out") {
  recipe::ExtractionPlan plan;
  const auto all = system::usable_processors();
  CHECK(loader_options(plan).workers == all);
  system::RankPlace place;
  place.count = place.local_count = 2;
  CHECK(loader_options(plan, torch::kCPU, place).workers == std::max<std::int64_t>(1, all / 2));
  place.count = place.local_count = static_cast<int>(all) + 1;
  CHECK(loader_options(plan, torch::kCPU, place).workers == 1);
  plan.loader.workers = 3;
  CHECK(loader_options(plan, torch::kCPU, place).workers == 3);
}

TEST_CASE("the limit of pixels is that of the recipe, and that of the process stays as it is") {
  const PictureFolder folder;
  folder.write_picture("a.png", 1, 16, 32);
  const PicturesOnDisk dataset(folder.path(), {"a.png"});
  const auto samples = dataset.samples();
  const std::vector<std::unique_ptr<Augmentation>> none;
  recipe::ExtractionPlan plan;
  const auto load = [&] {
    Loader loader(dataset, samples, none, loader_options(plan), /*training=*/false);
    loader.start({{0}}, 0);
    return loader.next()->samples.size();
  };
  CHECK(loader_options(plan).max_pixels == 50'000'000);
  plan.loader.max_megapixels = 1e-9;
  CHECK(loader_options(plan).max_pixels == 1);
  plan.loader.max_megapixels = 511e-6;
  CHECK(loader_options(plan).max_pixels == 511);
  const auto too_large = "a.png: error: has 16 x 32 pixels (width x height), more than the 511 pixels";
  CHECK(contains(error_of([&] { static_cast<void>(load()); }), too_large));
  CHECK(contains(error_of([&] { try_each_ending(plan, dataset, samples); }), too_large));
  CHECK(pixel_limit() == 50'000'000);

  // The other way round: an application allows less than the recipe.
  plan.loader.max_megapixels = 512e-6;
  set_pixel_limit(100);
  CHECK(load() == 1);
  CHECK_NOTHROW(try_each_ending(plan, dataset, samples));
  CHECK(pixel_limit() == 100);
  CHECK(contains(error_of([&] { static_cast<void>(dataset.image(samples[0])); }), "the 100 pixels"));
  set_pixel_limit(50'000'000);
}

TEST_CASE("batches are made in pinned memory for a GPU alone, and are the same where there is none") {
  recipe::ExtractionPlan plan;
  CHECK_FALSE(loader_options(plan).pinned);
  CHECK_FALSE(loader_options(plan, torch::kCPU).pinned);
  CHECK(loader_options(plan, torch::Device(torch::kCUDA, 0)).pinned);

  MadeDataset dataset;
  dataset.add("a.png", 1, 1, Split::train);
  dataset.add("b.png", 2, 1, Split::train);
  const auto samples = dataset.samples();
  const std::vector<std::unique_ptr<Augmentation>> none;
  std::vector<torch::Tensor> images;
  for (const auto device : {torch::Device(torch::kCPU), torch::Device(torch::kCUDA, 0)}) {
    Loader loader(dataset, samples, none, loader_options(plan, device), /*training=*/false);
    loader.start({{0, 1}}, 0);
    images.push_back(loader.next()->images);
  }
  CHECK(images[0].equal(images[1]));
}
