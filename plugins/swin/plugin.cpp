#include "kindred/core/plugin.h"

#include "swin.h"

KINDRED_PLUGIN("swin", "1.0.0", "Swin Transformer, and with a semantic weight SOLIDER's") {
  catalog.add<kindred::swin::Swin>("swin");
}
