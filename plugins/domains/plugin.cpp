#include "kindred/core/plugin.h"

#include "camera_partitioner.h"
#include "violet_partitioner.h"

KINDRED_PLUGIN("domains", "1.0.0", "Tells apart the looks that images of one data set have") {
  catalog.add<kindred::domains::CameraPartitioner>("camera");
  catalog.add<kindred::domains::VioletPartitioner>("violet");
}
