// Command "report" with two runs: what differs between them, as one page.
#pragma once

#include <filesystem>

#include "kindred/core/catalog.h"
#include "report/report.h"

namespace kindred::report {

/// Writes an HTML file that compares two runs: scores, scores by domain, queries that have become better or
/// worse, with rankings of both as pictures, trainings, costs and recipes. A change is of `second` against
/// `first`. Figures of runs that were evaluated on different images are shown, but not subtracted. Queries
/// are those of the last ranking of the second run whose images the first has ranked as well, whatever
/// folder heads their paths in either.
///
/// Images come from the data set of the second run. What is missing or damaged is said at its place, as in
/// write_report(), and so are the errors.
/// @param options `out` empty: SECOND/compared_with_FIRST.html, or compared_with_FOLDER_FIRST.html, with the
/// folder around the first, where both have one name. Of `sheet`, `worst` is how many queries are shown that
/// have lost most, and `best` how many that have gained most. `maps` is not looked at.
[[nodiscard]] ReportOutcome write_comparison(const std::filesystem::path& first,
                                             const std::filesystem::path& second,
                                             const ReportOptions& options, const Catalog& catalog);

}  // namespace kindred::report
