#include "options.h"

namespace kindred::launcher {

std::vector<std::string> Options::recipe_overrides() const {
  std::vector<std::string> all = overrides;
  // Written as TOML literal text, so that no character of a path means anything.
  if (!data.empty()) all.push_back("dataset.root='" + data.string() + "'");
  if (device) all.push_back("machine.device='" + *device + "'");
  if (threads) all.push_back("machine.threads=" + std::to_string(*threads));
  return all;
}

}  // namespace kindred::launcher
