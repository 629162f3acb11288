#include "kindred/core/plugin.h"

#include "clip_reid.h"
#include "clip_resnet.h"
#include "clip_vit.h"
#include "image_to_text.h"
#include "prompt_learning.h"

KINDRED_PLUGIN("clip", "1.0.0", "CLIP's image and text encoders, and CLIP-ReID") {
  catalog.add<kindred::clip::ClipVit>("clip_vit");
  catalog.add<kindred::clip::ClipResnet>("clip_resnet");
  catalog.add<kindred::clip::ClipReid>("clip_reid");
  catalog.add<kindred::clip::PromptLearning>("prompt_learning");
  catalog.add<kindred::clip::ImageToText>("image_to_text");
}
