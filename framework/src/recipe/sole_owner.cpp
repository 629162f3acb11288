#include "recipe/sole_owner.h"

#include <atomic>
#include <opencv2/core.hpp>

namespace kindred::recipe {

void make_sole_owner(cv::Mat& image) {
  if (image.u == nullptr || std::atomic_ref<int>(image.u->refcount).load() > 1) image = image.clone();
}

}  // namespace kindred::recipe
