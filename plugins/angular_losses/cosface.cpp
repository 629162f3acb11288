#include "cosface.h"

namespace kindred::angular_losses {

Schema<Cosface::Params> Cosface::schema() {
  Schema<Params> s("Cross entropy of cosines with a margin subtracted from the cosine of the true identity.",
                   "Wang et al., CVPR 2018, eq. 4");
  s.add("scale", &Params::scale, "factor that turns cosines into logits: s").above(0);
  s.add("margin", &Params::margin, "subtracted from the cosine to the class weight of the true identity: m")
      .range(0, 1);
  return s;
}

Cosface::Cosface(const Params& params, const Context& context)
    : AngularSoftmax(context), scale_(params.scale), margin_(params.margin) {}

AngularSoftmax::Logits Cosface::logits(const torch::Tensor& cosines, const torch::Tensor& own) const {
  return {cosines * scale_, (own - margin_) * scale_};
}

}  // namespace kindred::angular_losses
