#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/role/sampler.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedSampler final : public Guard<Sampler> {
 public:
  GuardedSampler(std::unique_ptr<Sampler> inner, const ComponentInfo& info, std::size_t samples)
      : Guard(std::move(inner), info), samples_(samples) {}
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t epoch,
                                                              RandomStream& random) const override {
    auto batches = call([&] { return inner_->batches(epoch, random); });
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const auto place = "batch " + std::to_string(i + 1) + " of epoch " + std::to_string(epoch);
      if (batches[i].empty()) gave("an empty batch: " + place);
      for (const auto index : batches[i]) {
        if (index < samples_) continue;
        gave("image " + std::to_string(index) + " in " + place + ", but there are only " +
             std::to_string(samples_) + " images (counted from 0)");
      }
    }
    return batches;
  }

 private:
  std::size_t samples_;
};

}  // namespace

std::unique_ptr<Sampler> guard(std::unique_ptr<Sampler> inner, const ComponentInfo& info,
                               std::size_t samples) {
  return std::make_unique<GuardedSampler>(std::move(inner), info, samples);
}

}  // namespace kindred::recipe
