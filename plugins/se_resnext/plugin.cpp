#include "kindred/core/plugin.h"

#include "se_resnext.h"

KINDRED_PLUGIN("se_resnext", "1.0.0", "Residual networks with grouped convolutions, squeeze and excitation") {
  catalog.add<kindred::se_resnext::SeResnext>("se_resnext");
}
