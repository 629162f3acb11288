// data doctor, data convert: looking at data, and writing it in another layout.
#include <algorithm>
#include <iostream>

#include "chosen_component.h"
#include "command/convert.h"
#include "command/doctor.h"
#include "commands.h"
#include "data/open_folder.h"
#include "file/atomic_file.h"
#include "kindred/role/layout.h"
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

int convert_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto progress = progress::make_stderr_progress(options.quiet);
  auto overrides = options.overrides;
  const auto layout = chosen_component<Layout>(options, overrides, plugins);
  const auto dataset = options.folder.empty()
                           ? recipe::choose_dataset(recipe::parse_recipe("dataset.type = 'synthetic'",
                                                                         "the synthetic data set", overrides),
                                                    plugins.catalog)
                                 .create({})
                           : dataset_at(options.folder, overrides, plugins);
  command::convert_dataset(*dataset, *layout, {options.out, options.component, options.image_format},
                           progress.get());
  std::cout << "written to " << options.out.string() << "; look at it with: kindred data doctor "
            << options.out.string() << '\n';
  return 0;
}

}  // namespace kindred::launcher
