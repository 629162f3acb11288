#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "kindred/core/catalog.h"
#include "kindred/role/schedule.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedSchedule final : public Guard<Schedule> {
 public:
  using Guard::Guard;
  [[nodiscard]] double factor(std::int64_t epoch, double progress) const override {
    const auto factor = call([&] { return inner_->factor(epoch, progress); });
    if (!(factor >= 0) || !std::isfinite(factor)) {
      gave("the factor " + std::to_string(factor) + " for the learning rate in epoch " +
           std::to_string(epoch) + "; it must be finite and not negative");
    }
    return factor;
  }
};

}  // namespace

std::unique_ptr<Schedule> guard(std::unique_ptr<Schedule> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedSchedule>(std::move(inner), info);
}

}  // namespace kindred::recipe
