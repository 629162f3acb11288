#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core.hpp>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/core/error.h"
#include "kindred/core/sample.h"
#include "kindred/core/utf8.h"
#include "kindred/role/dataset.h"
#include "kindred/text/name_numbers.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"
#include "recipe/image_text.h"

namespace kindred::recipe {
namespace {

class GuardedDataset final : public Guard<Dataset> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::vector<Sample> samples() const override {
    auto samples = call([&] { return inner_->samples(); });
    std::set<std::pair<Split, std::string_view>> seen;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto& sample = samples[i];
      const auto refuse = [&](const std::string& what) {
        gave("a sample " + what + ": sample " + std::to_string(i) + " (from 0), '" + sample.path + "'");
      };
      if (sample.path.empty()) refuse("without a path");
      for (const auto* text : {&sample.path, &sample.domain, &sample.tracklet}) {
        if (is_utf8(*text) && text->find('\0') == std::string::npos) continue;
        throw DataError(escaped(*text), "is not a name in UTF-8; rename it (from " + subject_ + ")");
      }
      if (sample.identity < unlabeled_identity) {
        refuse("with the identity " + std::to_string(sample.identity) +
               "; allowed are whole numbers from 0, -1 for junk and -2 for unlabeled images");
      }
      if (sample.camera < unknown_camera) {
        refuse("with the camera " + std::to_string(sample.camera) +
               "; allowed are whole numbers from 0, and -1 for an unknown one");
      }
      if (sample.view < unknown_view) {
        refuse("with the view " + std::to_string(sample.view) +
               "; allowed are whole numbers from 0, and -1 for an unknown one");
      }
      if (sample.clothes < unknown_clothes) {
        refuse("with the clothes " + std::to_string(sample.clothes) +
               "; allowed are whole numbers from 0, and -1 for unknown ones");
      }
      const std::tuple<std::string, const char*, std::int64_t> numbers[] = {
          {"identity", "identities", sample.identity},
          {"camera", "cameras", sample.camera},
          {"view", "views", sample.view},
          {"clothes", "clothes", sample.clothes}};
      for (const auto& [one, all, number] : numbers) {
        if (number <= largest_whole_number) continue;
        refuse("with the " + one + " " + std::to_string(number) + "; " + all + " go up to " +
               std::to_string(largest_whole_number));
      }
      if (sample.split != Split::train && sample.split != Split::query && sample.split != Split::gallery) {
        refuse("with an unknown split");
      }
      if (!seen.emplace(sample.split, sample.path).second) {
        refuse(std::string("twice in the split '") + split_name(sample.split) + "'");
      }
    }
    return samples;
  }
  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    auto image = call([&] { return inner_->image(sample); });
    if (image.dims != 2 || image.empty() || image.type() != CV_8UC3) {
      gave(image_text(image) + " for '" + sample.path +
           "'; a data set gives images as bytes in the three channels R, G, B (CV_8UC3)");
    }
    return image;
  }
  [[nodiscard]] Recognition recognize() const override {
    try {
      return call([&] { return inner_->recognize(); });
    } catch (const DataError&) {
      return Recognition::no;
    }
  }
};

}  // namespace

std::unique_ptr<Dataset> guard(std::unique_ptr<Dataset> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedDataset>(std::move(inner), info);
}

}  // namespace kindred::recipe
