// Feature maps -> one vector for the whole map or for each horizontal stripe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/export.h"
#include "kindred/nn/tensor_module.h"

namespace kindred {

enum class PoolingKind {
  average,
  max,
  gem,          ///< generalized mean (Radenovic et al., TPAMI 2019, eq. 3) with a learnable exponent
  class_token,  ///< nothing is pooled: Activations::class_token(). For heads that can do without a map
};

/// For schemas: 'avg', 'max' and 'gem', the kinds of Pooling.
[[nodiscard]] KINDRED_API std::vector<std::pair<std::string, PoolingKind>> pooling_choices();

/// The exponent of the generalized mean.
struct KINDRED_API GemExponent {
  std::optional<double> fixed{};  ///< its value; absent: a parameter that starts at 3
  bool per_stripe = false;        ///< each stripe has a parameter of its own
};

/// What is wrong with a fixed exponent beside that pooling in a recipe, or "": for the rules of schemas.
[[nodiscard]] KINDRED_API std::string wrong_gem_exponent(PoolingKind kind,
                                                         const std::optional<double>& fixed);

/// Map [N, C, h, w] -> [N, C, stripes, 1]. Stripe i covers the rows from floor(i h / stripes) to ceil((i + 1)
/// h / stripes).
class KINDRED_API Pooling : public TensorModule {
 public:
  /// Throws std::logic_error if there is no stripe, for class_token, or for a fixed exponent that is not
  /// above 0.
  explicit Pooling(PoolingKind kind, std::int64_t stripes = 1, GemExponent exponent = {});
  ~Pooling() override;

  /// gem: (mean of max(x, 1e-6)^p)^(1/p) in 32-bit floats whatever the type of the map. The exponent is the
  /// parameter "p", or "p_0", "p_1", ... of the stripes, or fixed.
  torch::Tensor forward(const torch::Tensor& map) override;

 private:
  PoolingKind kind_;
  std::int64_t stripes_;
  std::optional<double> fixed_exponent_;
  std::vector<torch::Tensor> exponents_;  // one for all stripes, one for each, or none
};

}  // namespace kindred
