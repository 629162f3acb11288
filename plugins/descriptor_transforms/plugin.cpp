#include "kindred/core/plugin.h"

#include "normalize_descriptors.h"
#include "pca_whitening.h"

KINDRED_PLUGIN("descriptor_transforms", "1.0.0", "Scales, centers, projects and whitens descriptors") {
  catalog.add<kindred::descriptor_transforms::NormalizeDescriptors>("normalize");
  catalog.add<kindred::descriptor_transforms::PcaWhitening>("pca_whitening");
}
