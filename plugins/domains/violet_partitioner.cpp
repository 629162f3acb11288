#include "violet_partitioner.h"

#include <opencv2/core.hpp>
#include <stdexcept>

namespace kindred::domains {

Schema<VioletPartitioner::Params> VioletPartitioner::schema() {
  Schema<Params> s("Separates bright, violet images from the others by the sum of their mean colors.",
                   "the competition system for NAIC 2019, which labeled and searched each domain separately");
  s.add("threshold", &Params::threshold,
        "an image is 'violet' if int(mean R) + int(mean G) + int(mean B) is above this, else 'origin'")
      .range(0, 765);
  return s;
}

VioletPartitioner::VioletPartitioner(const Params& params, const Context& /*context*/) : params_(params) {}

std::string VioletPartitioner::domain(const Sample& sample, const cv::Mat& image) const {
  if (image.empty() || image.type() != CV_8UC3) {
    throw std::logic_error("partitioner/violet needs '" + sample.path + "' as an 8-bit RGB image");
  }
  const auto means = cv::mean(image);
  std::int64_t sum = 0;
  for (int channel = 0; channel < 3; ++channel) sum += static_cast<std::int64_t>(means[channel]);
  return sum > params_.threshold ? "violet" : "origin";
}

}  // namespace kindred::domains
