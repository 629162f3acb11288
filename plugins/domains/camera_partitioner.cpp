#include "camera_partitioner.h"

#include "kindred/core/error.h"

namespace kindred::domains {

Schema<CameraPartitioner::Params> CameraPartitioner::schema() {
  return Schema<Params>("Makes each camera a domain of its own: 'camera_3'.");
}

CameraPartitioner::CameraPartitioner(const Params& /*params*/, const Context& /*context*/) {}

std::string CameraPartitioner::domain(const Sample& sample, const cv::Mat& /*image*/) const {
  if (sample.camera == unknown_camera) {
    throw ComponentError("partitioner/camera",
                         "nobody has said which camera took '" + sample.path +
                             "'; take a dataset that knows the cameras, or a partitioner that looks at the "
                             "pixels");
  }
  return "camera_" + std::to_string(sample.camera);
}

}  // namespace kindred::domains
