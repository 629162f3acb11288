#include "jpeg_files.h"

#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <system_error>

#include "data/open_dataset.h"
#include "kindred/core/error.h"
#include "kindred/image/file_content.h"
#include "kindred/image/image.h"
#include "kindred/image/image_files.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

namespace kindred::bench {

ScratchFolder::ScratchFolder() {
  auto name = (std::filesystem::temp_directory_path() / "kindred-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw DataError(std::filesystem::temp_directory_path(),
                    "no folder can be made here; set TMPDIR to another");
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::vector<std::filesystem::path> jpegs_of(const std::filesystem::path& folder, std::int64_t most) {
  std::vector<std::filesystem::path> files;
  for (const auto& name : list_images(folder, Depth::all_below)) {
    if (content_of(folder / name).format == std::string("JPEG")) files.push_back(folder / name);
  }
  if (files.empty()) throw DataError(folder, "there is no JPEG in this folder or below it");
  const auto count = std::min(files.size(), static_cast<std::size_t>(most));
  std::vector<std::filesystem::path> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(files[i * files.size() / count]);
  return chosen;
}

std::vector<std::filesystem::path> write_synthetic_jpegs(const std::filesystem::path& folder,
                                                         std::int64_t images, std::int64_t height,
                                                         std::int64_t width, const Catalog& catalog) {
  // Eight images of each identity.
  const auto identities = std::max<std::int64_t>(2, (images + 7) / 8);
  const auto text =
      "[dataset]\ntype = \"synthetic\"\nmin_images = 8\nmax_images = 8\ndistractors = 0\n"
      "test_identities = 1\ntrain_identities = " +
      std::to_string(identities) + "\nheight = " + std::to_string(height) +
      "\nwidth = " + std::to_string(width) + "\n";
  const auto dataset =
      data::open_datasets(recipe::choose_datasets(recipe::parse_recipe(text, "bench", {}), catalog), catalog);
  std::vector<std::filesystem::path> files;
  for (const auto& sample : dataset->samples()) {
    if (static_cast<std::int64_t>(files.size()) == images) break;
    files.push_back(folder / (std::to_string(files.size()) + ".jpg"));
    write_image(files.back(), dataset->image(sample));
  }
  return files;
}

JpegDataset::JpegDataset(std::vector<std::filesystem::path> files) {
  for (const auto& file : files) {
    Sample sample;
    sample.path = file.string();
    samples_.push_back(sample);
  }
}

cv::Mat JpegDataset::image(const Sample& sample) const {
  return read_image(sample.path);
}

}  // namespace kindred::bench
