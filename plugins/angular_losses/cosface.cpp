#include "cosface.h"

namespace kindred::angular_losses {

Schema<Cosface::Params> Cosface::schema() {
  Schema<Params> s("Cross entropy of cosines with a margin taken from the right identity's.",
                   "Wang et al., CVPR 2018, eq. 4");
  s.add("scale", &Params::scale, "what cosines are multiplied by to be logits: s").above(0);
  s.add("margin", &Params::margin, "taken from the cosine to the right identity's class weight: m")
      .range(0, 1);
  return s;
}

Cosface::Cosface(const Params& params, const Context& context)
    : AngularSoftmax(context), scale_(params.scale), margin_(params.margin) {}

AngularSoftmax::Logits Cosface::logits(const torch::Tensor& cosines, const torch::Tensor& own) const {
  return {cosines * scale_, (own - margin_) * scale_};
}

}  // namespace kindred::angular_losses
