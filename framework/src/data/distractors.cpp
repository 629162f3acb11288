#include "data/distractors.h"

namespace kindred::data {

bool has_distractors(const std::vector<Sample>& samples) {
  bool any_query = false;
  for (const auto& sample : samples) {
    if (sample.split != Split::query) continue;
    if (sample.identity == 0) return false;
    any_query = true;
  }
  return any_query;
}

}  // namespace kindred::data
