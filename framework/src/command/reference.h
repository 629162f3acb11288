// The reference: a page for each role, written from the schemas.
#pragma once

#include <string>
#include <vector>

#include "kindred/core/catalog.h"

namespace kindred::command {

struct ReferencePage {
  std::string file;  ///< "head.md"
  std::string text;  ///< Markdown
};

/// README.md with the list of all pages, recipe.md with the recipe's own keys and tables, and a page for each
/// role. Depends on the catalog alone.
[[nodiscard]] std::vector<ReferencePage> reference_pages(const Catalog& catalog);

}  // namespace kindred::command
