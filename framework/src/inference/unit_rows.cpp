#include "inference/unit_rows.h"

#include <torch/torch.h>

#include <cmath>
#include <string>

#include "kindred/core/error.h"

namespace kindred::inference {

void require_unit_rows(const torch::Tensor& rows, const std::vector<Sample>& samples,
                       const std::vector<std::size_t>& batch) {
  const auto lengths = rows.norm(2, 1).contiguous();
  const auto* length = lengths.data_ptr<float>();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (std::abs(length[i] - 1) < 1e-3F) continue;
    throw DataError(
        samples[batch[i]].path,
        std::string("the descriptor of this image ") + (length[i] == 0 ? "is zero" : "is not finite") +
            ": the weights of the model are broken, or its backbone or head computes it so; use another "
            "checkpoint, or mend the component");
  }
}

}  // namespace kindred::inference
