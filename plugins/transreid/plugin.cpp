#include "kindred/core/plugin.h"

#include "transreid.h"

KINDRED_PLUGIN("transreid", "1.0.0", "The head of TransReID: class token and jigsaw patches") {
  catalog.add<kindred::transreid::Transreid>("transreid");
}
