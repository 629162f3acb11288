#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "kindred/core/catalog.h"
#include "kindred/role/index.h"
#include "recipe/guard.h"
#include "recipe/guarded.h"

namespace kindred::recipe {
namespace {

class GuardedIndex final : public Guard<Index> {
 public:
  using Guard::Guard;
  [[nodiscard]] std::int64_t training_rows() const override {
    const auto rows = call([&] { return inner_->training_rows(); });
    if (rows < 0) gave(std::to_string(rows) + " as the number of rows to train with; it is not negative");
    return rows;
  }
  void train(const torch::Tensor& rows) override {
    call([&] { inner_->train(rows); });
  }
  void add(const torch::Tensor& rows) override {
    call([&] { inner_->add(rows); });
    rows_ += rows.size(0);
  }
  [[nodiscard]] torch::Tensor search(const torch::Tensor& queries, std::int64_t count) const override {
    auto found = call([&] { return inner_->search(queries, count); });
    if (!found.defined() || found.dim() != 2 || found.size(0) != queries.size(0) || found.size(1) != count ||
        found.scalar_type() != torch::kLong || !found.device().is_cpu()) {
      gave("something else than [" + std::to_string(queries.size(0)) + ", " + std::to_string(count) +
           "] row numbers of 64 bits on the CPU");
    }
    found = found.contiguous();
    const auto* row = found.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < found.numel(); ++i) {
      if (row[i] >= -1 && row[i] < rows_) continue;
      gave("row " + std::to_string(row[i]) + " of " + std::to_string(rows_));
    }
    return found;
  }

 private:
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Index> guard(std::unique_ptr<Index> inner, const ComponentInfo& info) {
  return std::make_unique<GuardedIndex>(std::move(inner), info);
}

}  // namespace kindred::recipe
