#include "kindred/plugin.h"

#include "arcface.h"
#include "circle.h"
#include "cosface.h"

KINDRED_PLUGIN("angular_losses", "1.0.0", "Losses on cosines with margins: ArcFace, CosFace, circle loss") {
  catalog.add<kindred::Arcface>("arcface");
  catalog.add<kindred::Cosface>("cosface");
  catalog.add<kindred::Circle>("circle");
  catalog.add<kindred::CircleSoftmax>("circle_softmax");
}
