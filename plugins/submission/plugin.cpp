#include "kindred/core/plugin.h"

#include "naic_json.h"
#include "ranking_csv.h"

KINDRED_PLUGIN("submission", "1.0.0", "Submission formats of rankings") {
  catalog.add<kindred::submission::NaicJson>("naic_json");
  catalog.add<kindred::submission::RankingCsv>("ranking_csv");
}
