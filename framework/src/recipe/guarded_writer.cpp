#include <cstdint>
#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/catalog.h"
#include "kindred/role/writer.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedWriter final : public Guard<Writer> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::string file_name() const override {
    auto name = call([&] { return inner_->file_name(); });
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
      gave("'" + name + "' as the name of its file; it is a plain name without a folder");
    }
    return name;
  }
  [[nodiscard]] std::int64_t top() const override {
    const auto top = call([&] { return inner_->top(); });
    if (top < 1) gave(std::to_string(top) + " as the number of images to list; it lists at least one");
    return top;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return call([&] { return inner_->name_of(path); });
  }
  void write(const std::vector<RankedQuery>& rankings, std::ostream& out) const override {
    call([&] { inner_->write(rankings, out); });
  }
  [[nodiscard]] std::vector<RankedQuery> read(std::istream& in) const override {
    return call([&] { return inner_->read(in); });
  }
};

}  // namespace

std::unique_ptr<Writer> guard(std::unique_ptr<Writer> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedWriter>(std::move(inner), info);
}

}  // namespace kindred::recipe
