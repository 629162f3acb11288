#include "kindred/core/plugin.h"

#include "camera_partitioner.h"
#include "violet_partitioner.h"

KINDRED_PLUGIN("domains", "1.0.0", "Separates images of one data set by how they look") {
  catalog.add<kindred::domains::CameraPartitioner>("camera");
  catalog.add<kindred::domains::VioletPartitioner>("violet");
}
