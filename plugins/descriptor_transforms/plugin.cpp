#include "kindred/plugin.h"

#include "normalize_descriptors.h"
#include "pca_whitening.h"

KINDRED_PLUGIN("descriptor_transforms", "1.0.0", "Descriptors scaled, centred, projected and whitened") {
  catalog.add<kindred::NormalizeDescriptors>("normalize");
  catalog.add<kindred::PcaWhitening>("pca_whitening");
}
