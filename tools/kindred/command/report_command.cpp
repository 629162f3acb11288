#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "common_options.h"
#include "report/report.h"
#include "session.h"
#include "text/number_text.h"

namespace kindred::launcher {
namespace {

/// A page larger than this is slow to send and to open.
constexpr std::uint64_t large_page = 3'000'000;

struct Options {
  std::filesystem::path run;
  std::filesystem::path out;
  std::vector<std::string> data;
  report::SheetSize sheet;
  PluginOptions plugins;
};

int report(const Options& options, Session& session) {
  report::ReportOptions request;
  request.out = options.out;
  request.data = options.data;
  request.sheet = options.sheet;
  const auto outcome =
      report::write_report(options.run, request, session.load_plugins(options.plugins.folders));
  for (const auto& note : outcome.notes) session.note(note);
  std::cout << outcome.file.string() << "  " << text::size_text(outcome.bytes) << ", " << outcome.rankings
            << " rankings, " << outcome.images << " images\n";
  if (outcome.bytes > large_page) {
    session.note("the page is large; show fewer rankings with --worst, --middle and --best");
  }
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("RUN", options->run, "Folder of the run: runs/NAME")->required()->type_name("DIR");
  app.add_option("--out", options->out, "The page [RUN/report.html]")->type_name("FILE");
  add_data_root(app, options->data);
  const auto add_count = [&](const char* name, std::size_t& count, const char* help) {
    app.add_option(name, count, help)
        ->check(CLI::Range(std::size_t{0}, std::size_t{1000}).description(""))
        ->capture_default_str()
        ->type_name("N");
  };
  add_count("--worst", options->sheet.worst, "Queries to show with the lowest AP");
  add_count("--middle", options->sheet.middle, "Queries to show around the median");
  add_count("--best", options->sheet.best, "Queries to show with the highest AP");
  options->plugins.add_to(app);
  return [options](Session& session) { return report(*options, session); };
}

}  // namespace

const Command report_command = {"report", "Write a run as one HTML page: scores, curves, rankings, costs",
                                add_options};

}  // namespace kindred::launcher
