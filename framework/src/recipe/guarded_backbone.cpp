#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/role/backbone.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedBackbone final : public Guard<Backbone> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::vector<std::string> blocks() const override {
    auto blocks = call([&] { return inner_->blocks(); });
    if (blocks.empty()) gave("no names of blocks; a backbone has at least one block");
    std::set<std::string_view> seen;
    for (const auto& block : blocks) {
      if (block.empty()) gave("a block without a name");
      if (!seen.insert(block).second) gave("two blocks the name '" + block + "'; a cut is found by its name");
    }
    return blocks;
  }
  [[nodiscard]] std::int64_t channels() const override {
    const auto channels = call([&] { return inner_->channels(); });
    if (channels < 1) gave(std::to_string(channels) + " as its number of channels; it has at least one");
    return channels;
  }
  [[nodiscard]] FeatureForm gives() const override {
    return call([&] { return inner_->gives(); });
  }
  [[nodiscard]] SideInformation side_information() const override {
    return call([&] { return inner_->side_information(); });
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> trunk(const std::string& cut) override {
    return checked(call([&] { return inner_->trunk(cut); }), "trunk");
  }
  [[nodiscard]] std::shared_ptr<NetworkPart> copy_rest(const std::string& cut,
                                                       std::int64_t last_stride) const override {
    return checked(call([&] { return inner_->copy_rest(cut, last_stride); }), "copy of its blocks");
  }

 private:
  [[nodiscard]] std::shared_ptr<NetworkPart> checked(std::shared_ptr<NetworkPart> module,
                                                     const std::string& what) const {
    if (module == nullptr) gave("no " + what);
    return module;
  }
};

}  // namespace

std::unique_ptr<Backbone> guard(std::unique_ptr<Backbone> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedBackbone>(std::move(inner), info);
}

}  // namespace kindred::recipe
