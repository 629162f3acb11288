// report: a run as a page.
#include <cstdint>
#include <iostream>

#include "commands.h"
#include "report/report.h"
#include "session.h"
#include "text/number_text.h"

namespace kindred::launcher {
namespace {

/// A page larger than this is slow to send and to open.
constexpr std::uint64_t large_page = 3'000'000;

}  // namespace

int report_command(const Options& options) {
  const auto plugins = load_plugins(options);
  report::ReportOptions report;
  report.out = options.out;
  if (!options.data.empty()) report.data = options.data;
  report.sheet = {options.worst_queries, options.middle_queries, options.best_queries};
  const auto outcome = report::write_report(options.run_directory, report, plugins.catalog);
  if (!options.quiet) {
    for (const auto& note : outcome.notes) std::cerr << "note: " << note << '\n';
  }
  std::cout << outcome.file.string() << "  " << text::size_text(outcome.bytes) << ", " << outcome.rankings
            << " rankings, " << outcome.images << " images\n";
  if (outcome.bytes > large_page && !options.quiet) {
    std::cerr << "note: the page is large; fewer rankings make it smaller: --worst, --middle, --best\n";
  }
  return 0;
}

}  // namespace kindred::launcher
