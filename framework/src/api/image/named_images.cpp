#include "kindred/image/named_images.h"

#include <utility>

#include "kindred/core/error.h"
#include "kindred/image/image.h"

namespace kindred {

NamedImages::NamedImages(std::filesystem::path root, SplitFolders folders, NameForm form)
    : root_(std::move(root)), folders_(std::move(folders)), form_(std::move(form)) {}

NamedImages::~NamedImages() = default;

std::vector<SplitFolders::Image> NamedImages::images() const {
  return folders_.images(root_);
}

std::vector<Sample> NamedImages::samples() const {
  std::vector<Sample> samples;
  for (auto& image : images()) {
    const auto facts = form_.parse(image.name);
    if (!facts) {
      throw DataError(root_ / image.path, "is not named " + form_.text + "; rename or remove the file");
    }
    auto& sample = samples.emplace_back();
    sample.path = std::move(image.path);
    sample.identity = facts->identity;
    sample.camera = facts->camera;
    sample.clothes = facts->clothes;
    sample.split = image.split;
  }
  return samples;
}

cv::Mat NamedImages::image(const Sample& sample) const {
  return read_image(root_ / sample.path);
}

Recognition NamedImages::recognize() const {
  const bool train = folders_.has_train(root_);
  const bool test = folders_.has_test(root_);
  if (!train && !test) return Recognition::no;
  if (!(train && test && form_.known_by_folders)) {
    const auto name = folders_.some_name(root_);
    if (!name || !form_.parse(*name)) return Recognition::no;
  }
  return train && test ? Recognition::certain : Recognition::likely;
}

}  // namespace kindred
