#include "options.h"

#include "kindred/core/value.h"

namespace kindred::launcher {

std::vector<std::string> Options::recipe_overrides() const {
  std::vector<std::string> all = overrides;
  if (!data.empty()) all.push_back("dataset.root=" + Value(data.string()).to_toml());
  if (device) all.push_back("machine.device=" + Value(*device).to_toml());
  if (!storage.empty()) all.push_back("embed.storage=" + Value(storage).to_toml());
  if (threads) all.push_back("machine.threads=" + std::to_string(*threads));
  return all;
}

}  // namespace kindred::launcher
