#include "kindred/plugin.h"

#include "se_resnext.h"

KINDRED_PLUGIN("se_resnext", "1.0.0", "Residual networks with groups, squeeze and excitation") {
  catalog.add<kindred::SeResnext>("se_resnext");
}
