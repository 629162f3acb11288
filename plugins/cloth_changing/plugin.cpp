#include "kindred/core/plugin.h"

#include "ltcc.h"
#include "prcc.h"

KINDRED_PLUGIN("cloth_changing", "1.0.0", "Data sets of people who change their clothes: LTCC and PRCC") {
  catalog.add<kindred::cloth_changing::Ltcc>("ltcc");
  catalog.add<kindred::cloth_changing::Prcc>("prcc");
}
