#include "kindred/core/plugin.h"

#include "torchscript_exporter.h"

KINDRED_PLUGIN("torchscript", "1.0.0", "Writes models as TorchScript files") {
  catalog.add<kindred::torchscript::TorchScriptExporter>("torchscript");
}
