#include "variants.h"

#include <stdexcept>

namespace kindred::clip {

ResnetShape shape_of(ResnetVariant variant) {
  switch (variant) {
    case ResnetVariant::rn50:
      return {{3, 4, 6, 3}, 64};
    case ResnetVariant::rn101:
      return {{3, 4, 23, 3}, 64};
    case ResnetVariant::rn50x4:
      return {{4, 6, 10, 6}, 80};
    case ResnetVariant::rn50x16:
      return {{6, 8, 18, 8}, 96};
    case ResnetVariant::rn50x64:
      return {{3, 15, 36, 10}, 128};
  }
  throw std::logic_error("not a variant");
}

VitShape shape_of(VitVariant variant) {
  switch (variant) {
    case VitVariant::b32:
      return {32, 768, 12};
    case VitVariant::b16:
      return {16, 768, 12};
    case VitVariant::l14:
      return {14, 1024, 24};
  }
  throw std::logic_error("not a variant");
}

TextShape shape_of(TextVariant variant) {
  switch (variant) {
    case TextVariant::rn50:
      return {512, 1024};
    case TextVariant::rn101:
    case TextVariant::b32:
    case TextVariant::b16:
      return {512, 512};
    case TextVariant::rn50x4:
      return {640, 640};
    case TextVariant::rn50x16:
    case TextVariant::l14:
      return {768, 768};
    case TextVariant::rn50x64:
      return {1024, 1024};
  }
  throw std::logic_error("not a variant");
}

std::vector<std::pair<std::string, ResnetVariant>> resnet_choices() {
  return {{"RN50", ResnetVariant::rn50},
          {"RN101", ResnetVariant::rn101},
          {"RN50x4", ResnetVariant::rn50x4},
          {"RN50x16", ResnetVariant::rn50x16},
          {"RN50x64", ResnetVariant::rn50x64}};
}

std::vector<std::pair<std::string, VitVariant>> vit_choices() {
  return {{"ViT-B/32", VitVariant::b32}, {"ViT-B/16", VitVariant::b16}, {"ViT-L/14", VitVariant::l14}};
}

std::vector<std::pair<std::string, TextVariant>> text_choices() {
  return {{"RN50", TextVariant::rn50},       {"RN101", TextVariant::rn101},
          {"RN50x4", TextVariant::rn50x4},   {"RN50x16", TextVariant::rn50x16},
          {"RN50x64", TextVariant::rn50x64}, {"ViT-B/32", TextVariant::b32},
          {"ViT-B/16", TextVariant::b16},    {"ViT-L/14", TextVariant::l14}};
}

std::vector<std::pair<std::string, FeedForwardActivation>> activation_choices() {
  return {{"quick_gelu", FeedForwardActivation::quick_gelu}, {"gelu", FeedForwardActivation::gelu}};
}

}  // namespace kindred::clip
