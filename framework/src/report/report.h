// Command "report": a run as one page that needs nothing but itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/catalog.h"
#include "report/pictures.h"
#include "report/ranking_sheet.h"
#include "report/run_files.h"

namespace kindred::report {

struct ReportOptions {
  std::filesystem::path out;      ///< empty: FOLDER/report.html
  std::vector<std::string> data;  ///< where the images are now: FOLDER or NAME=FOLDER (recipe::data_override)
  SheetSize sheet;
  bool maps = false;  ///< activation maps below the images of rankings; needs the model
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
/// The page is the same whatever path names the folder, and wherever the run lies.
///
/// Throws as read_run() for a folder that is no run, and DataError when the file cannot be written. With
/// `data`, what is wrong with that place is thrown too: RecipeError or DataError; with `maps`, what
/// model_of() and MapPictures throw.
[[nodiscard]] ReportOutcome write_report(const std::filesystem::path& folder, const ReportOptions& options,
                                         const Catalog& catalog);

/// The images of a run's data set. With `data`, throws what is wrong with that place.
/// @param trouble set to why there is no data set
[[nodiscard]] Pictures open_pictures(const RunFiles& run, const std::vector<std::string>& data,
                                     const Catalog& catalog, std::string& trouble);

/// "0.4 s", "12 s", "1:03"
[[nodiscard]] std::string time_taken_text(double seconds);

}  // namespace kindred::report
