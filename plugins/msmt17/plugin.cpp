#include "kindred/core/plugin.h"

#include "msmt17.h"

KINDRED_PLUGIN("msmt17", "1.0.0", "MSMT17, as it is distributed: lists of images") {
  catalog.add<kindred::msmt17::Msmt17>("msmt17");
}
