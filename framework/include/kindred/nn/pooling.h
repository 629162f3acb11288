// Feature maps -> one vector for the whole map or for each horizontal stripe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {

enum class PoolingKind {
  average,
  max,
  gem,  ///< generalised mean (Radenovic et al., TPAMI 2019, eq. 3) with a learnable exponent
};

/// For schemas: 'avg', 'max' and 'gem'.
[[nodiscard]] KINDRED_API std::vector<std::pair<std::string, PoolingKind>> pooling_choices();

/// Map [N, C, h, w] -> [N, C, stripes, 1]. Stripe i covers the rows floor(i h / stripes) up to
/// ceil((i + 1) h / stripes).
class KINDRED_API Pooling : public TensorModule {
 public:
  /// Throws std::logic_error when there is not at least one stripe.
  explicit Pooling(PoolingKind kind, std::int64_t stripes = 1);
  ~Pooling() override;

  /// Of gem: (mean of max(x, 1e-6)^p)^(1/p) with the parameter "p", 3 at first, in 32-bit floats whatever the
  /// map's type.
  torch::Tensor forward(const torch::Tensor& map) override;

 private:
  PoolingKind kind_;
  std::int64_t stripes_;
  torch::Tensor p_;
};

}  // namespace kindred
