// LTCC as its authors distribute it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "kindred/core/schema.h"
#include "kindred/image/named_images.h"

namespace kindred::cloth_changing {

/// Reads IDENTITY_CLOTHES_cCAMERA_..., such as 094_1_c9_015833.png; each identity numbers its clothes by
/// itself. Nothing when the name is of another form.
[[nodiscard]] std::optional<NameFacts> parse_ltcc_name(std::string_view name);

/// LTCC (Qian et al., ACCV 2020): the folders train, query and test (the gallery).
class Ltcc final : public NamedImages {
 public:
  struct Params {
    std::filesystem::path root;
    std::string train = "train";
    std::string query = "query";
    std::string gallery = "test";
  };
  static Schema<Params> schema();

  Ltcc(const Params& params, const Context& context);
};

}  // namespace kindred::cloth_changing
