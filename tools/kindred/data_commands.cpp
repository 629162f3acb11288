// data doctor, data draw: looking at data, and making some.
#include <algorithm>
#include <iostream>

#include "command/doctor.h"
#include "command/draw.h"
#include "commands.h"
#include "data/open_folder.h"
#include "file/atomic_file.h"
#include "recipe/recipe.h"
#include "session.h"

namespace kindred::launcher {
int doctor_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto progress = progress::make_stderr_progress(options.quiet);
  const auto dataset = dataset_at(options.folder, options.overrides, plugins);
  const auto report = command::examine(*dataset, !options.skip_decoding, progress.get());
  std::cout << command::doctor_text(report);
  if (!options.json.empty()) {
    file::write_atomically(options.json, [&](std::ostream& out) { out << command::doctor_json(report); });
  }
  const bool unusable = std::any_of(
      report.findings.begin(), report.findings.end(),
      [](const command::Finding& finding) { return finding.severity == command::Severity::error; });
  return unusable ? 1 : 0;
}

int draw_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto progress = progress::make_stderr_progress(options.quiet);
  const auto recipe = options.recipe.empty()
                          ? recipe::parse_recipe("dataset.type = 'synthetic'", "the synthetic data set",
                                                 options.recipe_overrides())
                          : read_recipe(options);
  const auto dataset = recipe::choose_dataset(recipe, plugins.catalog).create({});
  command::WriteOptions write;
  write.layout = command::layout_of(options.layout);
  write.format = options.image_format;
  command::write_dataset(*dataset, options.out, write, progress.get());
  std::cout << "written to " << options.out.string() << "; look at it with: kindred data doctor "
            << options.out.string() << '\n';
  return 0;
}

}  // namespace kindred::launcher
