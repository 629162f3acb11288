// Command "report": a run as one page that needs nothing but itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "report/ranking_sheet.h"

namespace kindred::report {

struct ReportOptions {
  std::filesystem::path out;      ///< empty: FOLDER/report.html
  std::vector<std::string> data;  ///< where the images are now: FOLDER or NAME=FOLDER (recipe::data_override)
  SheetSize sheet;
};

struct ReportOutcome {
  std::filesystem::path file;
  std::uint64_t bytes = 0;
  std::size_t rankings = 0;        ///< queries shown with what was found for them
  std::int64_t images = 0;         ///< pictures in the page
  std::vector<std::string> notes;  ///< what a reader of the page would miss, such as images
};

/// Writes an HTML file with style, charts and pictures inside, atomically. What is missing or damaged in the
/// folder is said at its place in the page. Images come from the data set of the run's recipe; those that
/// cannot be read are boxes with their paths.
///
/// Throws as read_run() for a folder that is no run, and DataError when the file cannot be written. With
/// `data`, what is wrong with that place is thrown too: RecipeError or DataError.
[[nodiscard]] ReportOutcome write_report(const std::filesystem::path& folder, const ReportOptions& options,
                                         const Catalog& catalog);

}  // namespace kindred::report
