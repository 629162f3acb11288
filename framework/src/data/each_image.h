// Work done for every image of a data set, by several threads, with progress.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "progress/progress.h"

namespace kindred::data {

/// Calls work(i) once for each i below `count`, from all processors that this process may use, in no fixed
/// order, and returns when all are done. The progress is reported from the calling thread alone. After a
/// call has thrown no new ones are begun, and the exception of the lowest i is thrown on.
/// @param sink may be nullptr
void for_each_image(std::size_t count, const std::string& stage, progress::ProgressSink* sink,
                    const std::function<void(std::size_t)>& work);

}  // namespace kindred::data
