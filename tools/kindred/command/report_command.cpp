#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "command.h"
#include "common_options.h"
#include "file/command_inputs.h"
#include "kindred/core/error.h"
#include "recipe/recipe_override.h"
#include "report/comparison.h"
#include "report/report.h"
#include "session.h"
#include "text/number_text.h"

namespace kindred::launcher {
namespace {

/// A page larger than this is slow to send and to open.
constexpr std::uint64_t large_page = 3'000'000;

struct Options {
  std::vector<std::filesystem::path> runs;
  std::filesystem::path out;
  std::vector<std::string> data;
  report::SheetSize sheet;
  bool maps = false;
  PluginOptions plugins;
};

/// Throws RecipeError when the page would replace a file of a run, which is no page itself.
void require_run_kept(const Options& options) {
  std::error_code error;
  const auto ending = options.out.extension();
  if (ending == ".html" || ending == ".htm" || !std::filesystem::is_regular_file(options.out, error)) return;
  for (const auto& run : options.runs) {
    if (!file::lies_in(options.out, run)) continue;
    throw RecipeError(
        {"--out " + options.out.string(), 0, 0},
        "would replace a file of the run '" + run.string() + "'; give another path, such as NAME.html");
  }
}

int report(const Options& options, Session& session) {
  require_run_kept(options);
  report::ReportOptions request;
  request.out = options.out;
  request.data = options.data;
  // So that errors of them are at the option.
  for (const auto& path : options.data) {
    static_cast<void>(option_override("--data " + path, recipe::data_override(path)));
  }
  request.sheet = options.sheet;
  request.maps = options.maps;
  if (options.maps && options.runs.size() > 1) {
    throw RecipeError({"--maps", 0, 0}, "draws the maps of one run; give one folder, or leave it out");
  }
  const auto& catalog = session.load_plugins(options.plugins.folders);
  const auto outcome = options.runs.size() == 1
                           ? report::write_report(options.runs[0], request, catalog)
                           : report::write_comparison(options.runs[0], options.runs[1], request, catalog);
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
  app.add_option("RUN", options->runs,
                 "Folder of the run: runs/NAME; with a second one the page compares the two")
      ->required()
      ->expected(1, 2)
      ->type_name("DIR");
  app.add_option("--out", options->out, "The page [RUN/report.html, or SECOND/compared_with_FIRST.html]")
      ->type_name("FILE");
  add_data_root(app, options->data);
  const auto add_count = [&](const char* name, std::size_t& count, const char* help) {
    app.add_option(name, count, help)
        ->check(CLI::Range(std::size_t{0}, std::size_t{1000}).description(""))
        ->capture_default_str()
        ->type_name("N");
  };
  app.add_flag(
      "--maps", options->maps,
      "Show below each image where the model looks (activation maps); of a single run, needs its model");
  add_count("--worst", options->sheet.worst,
            "Queries to show with the lowest AP; of two runs: those that have lost most");
  add_count("--middle", options->sheet.middle, "Queries to show around the median");
  add_count("--best", options->sheet.best,
            "Queries to show with the highest AP; of two runs: those that have gained most");
  options->plugins.add_to(app);
  return [options](Session& session) { return report(*options, session); };
}

}  // namespace

const Command report_command = {
    "report", "Write a run, or what differs between two, as one HTML page: scores, curves, rankings, costs",
    add_options};

}  // namespace kindred::launcher
