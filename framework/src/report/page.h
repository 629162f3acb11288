// A page that needs nothing but itself.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/blocks.h"
#include "report/pictures.h"

namespace kindred::report {

struct Page {
  std::string title;
  Html header;
  std::vector<Html> notices;      ///< ahead of all sections
  std::vector<Section> sections;  ///< empty ones are left out
};

/// The HTML file with its style inside.
[[nodiscard]] std::string page_text(const Page& page);

/// The head of a page: what it is, its title, and facts of which empty ones are left out.
[[nodiscard]] Html page_header(const std::string& kind, const std::string& title,
                               const std::vector<std::pair<std::string, std::string>>& facts);

/// What is said once of RunFiles::outdated; nothing for none.
/// @param run its name, on a page of two; ""
[[nodiscard]] Html outdated_notice(const std::vector<std::string>& stages, const std::string& run = "");

/// What is said once of all images that are missing; "" when none is.
/// @param trouble why there is no data set; ""
[[nodiscard]] std::string missing_images_text(const Pictures& pictures, const std::string& trouble);

}  // namespace kindred::report
