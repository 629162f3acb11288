#include "data/planned_loader.h"

#include <doctest/doctest.h>
#include <torch/types.h>

#include <memory>
#include <vector>

#include "data_files.h"
#include "kindred/image/image.h"
#include "made_dataset.h"
#include "recipe/plan.h"

using namespace kindred;
using namespace kindred::data;
using namespace kindred::test;

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

TEST_CASE("the limit of pixels is that of the recipe") {
  const auto before = pixel_limit();
  recipe::ExtractionPlan plan;
  CHECK(loader_options(plan).max_pixels == 50'000'000);
  plan.loader.max_megapixels = 0.25;
  CHECK(loader_options(plan).max_pixels == 250'000);
  try_each_ending(plan, MadeDataset(), {});
  CHECK(pixel_limit() == 250'000);
  plan.loader.max_megapixels = 1e-9;
  CHECK(loader_options(plan).max_pixels == 1);
  set_pixel_limit(before);
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
