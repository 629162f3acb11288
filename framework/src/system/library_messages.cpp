#include "system/library_messages.h"

#include <cstdlib>
#include <opencv2/core/utils/logger.hpp>

namespace kindred::system {

void silence_library_messages() {
  if (std::getenv("OPENCV_LOG_LEVEL") != nullptr) return;
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
}

}  // namespace kindred::system
