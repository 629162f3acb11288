#include "arcface.h"

#include <cmath>

namespace kindred::angular_losses {

Schema<Arcface::Params> Arcface::schema() {
  Schema<Params> s("Cross entropy of cosines with a margin added to the angle of the true identity.",
                   "Deng et al., CVPR 2019, eq. 3");
  s.add("scale", &Params::scale, "factor that turns cosines into logits: s").above(0);
  s.add("margin", &Params::margin, "added to the angle to the class weight of the true identity: m")
      .range(0, 1.5)
      .unit("radians");
  return s;
}

Arcface::Arcface(const Params& params, const Context& context)
    : AngularSoftmax(context), scale_(params.scale), margin_(params.margin) {}

AngularSoftmax::Logits Arcface::logits(const torch::Tensor& cosines, const torch::Tensor& own) const {
  // At the poles the sine's slope is infinite: where rounding leaves nothing to take the root of, it is left
  // out, and one step of the cosine's away from there it is a harmless 3e3.
  const auto sine = (1 - own.square()).clamp_min(1e-12).sqrt();
  const auto moved = own * std::cos(margin_) - sine * std::sin(margin_);
  const auto beyond = own - margin_ * std::sin(margin_);
  const auto below_pi = own.gt(-std::cos(margin_));
  return {cosines * scale_, torch::where(below_pi, moved, beyond) * scale_};
}

}  // namespace kindred::angular_losses
