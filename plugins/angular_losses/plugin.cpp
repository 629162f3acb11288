#include "kindred/core/plugin.h"

#include "arcface.h"
#include "circle.h"
#include "cosface.h"

KINDRED_PLUGIN("angular_losses", "1.0.0", "Losses on cosines with margins: ArcFace, CosFace, circle loss") {
  catalog.add<kindred::angular_losses::Arcface>("arcface");
  catalog.add<kindred::angular_losses::Cosface>("cosface");
  catalog.add<kindred::angular_losses::Circle>("circle");
  catalog.add<kindred::angular_losses::CircleSoftmax>("circle_softmax");
}
