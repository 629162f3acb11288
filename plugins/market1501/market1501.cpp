#include "market1501.h"

#include "kindred/text/name_scanner.h"

namespace kindred::market1501 {

std::optional<NameFacts> parse_market_name(std::string_view name) {
  NameScanner scanner(name);
  NameFacts result;
  if (name.starts_with("-1_")) {
    result.identity = junk_identity;
    scanner.skip("-1");
  } else if (const auto identity = scanner.number()) {
    result.identity = *identity;
  } else {
    return std::nullopt;
  }
  if (!scanner.skip("_c")) return std::nullopt;
  const auto camera = scanner.number();
  if (!camera) return std::nullopt;
  result.camera = *camera;
  if (scanner.skip("s") && !scanner.number()) return std::nullopt;
  if (!scanner.skip("_") && !scanner.skip(".")) return std::nullopt;
  return result;
}

Schema<Market1501::Params> Market1501::schema() {
  Schema<Params> s("Folders and file names of Market-1501; DukeMTMC-reID, Occluded-Duke and others use them.",
                   "Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015");
  add_split_folders(s);
  return s;
}

Market1501::Market1501(const Params& params, const Context& /*context*/)
    : NamedImages(params.root, {params.train, params.query, params.gallery},
                  {parse_market_name, "IIII_cC... (identity, camera), such as 0002_c1s1_000451_03.jpg",
                   /*known_by_folders=*/true}) {}

}  // namespace kindred::market1501
