// Images of some domains alone.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/sample.h"

namespace kindred::data {

/// Whether a sample is of one of the domains; of any when none is named.
[[nodiscard]] bool is_of_domains(const Sample& sample, const std::vector<std::string>& domains);

/// Throws Error, with the domains that there are, for a name that no sample has.
/// @param subject what names them: "stage 'labels': only"
void require_domains(const std::vector<Sample>& samples, const std::vector<std::string>& domains,
                     const std::string& subject);

}  // namespace kindred::data
