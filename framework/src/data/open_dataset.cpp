#include "data/open_dataset.h"

namespace kindred {

std::unique_ptr<Dataset> open_dataset(const Plan& plan) {
  return plan.dataset.create({});
}

}  // namespace kindred
