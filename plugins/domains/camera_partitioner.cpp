#include "camera_partitioner.h"

#include "kindred/core/error.h"

namespace kindred::domains {

Schema<CameraPartitioner::Params> CameraPartitioner::schema() {
  return Schema<Params>("Makes each camera a domain, such as 'camera_3'.");
}

CameraPartitioner::CameraPartitioner(const Params& /*params*/, const Context& /*context*/) {}

std::string CameraPartitioner::domain(const Sample& sample, const cv::Mat& /*image*/) const {
  if (sample.camera == unknown_camera) {
    throw ComponentError(
        "partitioner/camera",
        "the camera of '" + sample.path +
            "' is unknown; use a dataset with cameras, or a partitioner that looks at the pixels");
  }
  return "camera_" + std::to_string(sample.camera);
}

}  // namespace kindred::domains
