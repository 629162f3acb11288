// What libraries print by themselves.
#pragma once

namespace kindred::system {

/// Keeps OpenCV from printing warnings beside errors that say the same with place and remedy. Whoever sets
/// OPENCV_LOG_LEVEL wants them.
void silence_library_messages();

}  // namespace kindred::system
