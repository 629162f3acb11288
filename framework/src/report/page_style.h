// How a report looks.
#pragma once

#include <string>

namespace kindred::report {

/// The style sheet: light or dark as the reader's system is, from the width of a telephone on, and on paper.
[[nodiscard]] const std::string& page_style();

}  // namespace kindred::report
