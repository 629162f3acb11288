// weights inspect, weights import: files of weights, also of other programs.
#include <iostream>

#include "command/weights.h"
#include "commands.h"
#include "file/atomic_file.h"
#include "session.h"

namespace kindred::launcher {

int inspect_weights_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto summary = command::inspect_weights(options.weights, plugins.catalog);
  std::cout << command::weights_text(summary);
  if (!options.json.empty()) {
    file::write_atomically(options.json, [&](std::ostream& out) { out << command::weights_json(summary); });
  }
  return 0;
}

int import_weights_command(const Options& options) {
  const auto plugins = load_plugins(options);
  const auto outcome =
      command::import_weights(plan_recipe(read_recipe(options), plugins),
                              {options.weights, options.out, options.allow_missing, options.identities});
  std::cout << outcome.text;
  return outcome.written ? 0 : 1;
}

}  // namespace kindred::launcher
