#include "ltcc.h"

#include "kindred/text/name_scanner.h"

namespace kindred::cloth_changing {

std::optional<NameFacts> parse_ltcc_name(std::string_view name) {
  NameScanner scanner(name);
  const auto identity = scanner.number();
  if (!identity || !scanner.skip("_")) return std::nullopt;
  const auto clothes = scanner.number();
  if (!clothes || !scanner.skip("_c")) return std::nullopt;
  const auto camera = scanner.number();
  if (!camera || !scanner.skip("_")) return std::nullopt;
  return NameFacts{*identity, *camera, *clothes};
}

Schema<Ltcc::Params> Ltcc::schema() {
  Schema<Params> s("LTCC: people who change clothes, with the clothes in the file names.",
                   "Qian et al., Long-Term Cloth-Changing Person Re-identification, ACCV 2020");
  add_split_folders(s);
  return s;
}

Ltcc::Ltcc(const Params& params, const Context& /*context*/)
    : NamedImages(
          params.root, {params.train, params.query, params.gallery},
          {parse_ltcc_name, "IIII_O_cC_... (identity, clothes, camera), such as 094_1_c9_015833.png"}) {}

}  // namespace kindred::cloth_changing
