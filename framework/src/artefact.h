// A trained model in one file: weights, the frozen recipe and what else is needed to use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kindred/catalog.h"
#include "model.h"
#include "plan.h"

namespace kindred {

/// Metadata: "kindred.recipe" the frozen recipe as TOML, "kindred.identities", "kindred.version".
void write_artefact(const std::filesystem::path& file, const Model& model, const Plan& plan,
                    std::int64_t identities);

struct Artefact {
  Plan plan;
  std::int64_t identities = 0;
  std::shared_ptr<Model> model;  ///< in evaluation mode, on the CPU
};

/// Every tensor must be there with the right shape and none left over: throws DataError that lists them else.
/// @param overrides of the frozen recipe, as on the command line
[[nodiscard]] Artefact read_artefact(const std::filesystem::path& file, const Catalog& catalog,
                                     const std::vector<std::string>& overrides);

}  // namespace kindred
