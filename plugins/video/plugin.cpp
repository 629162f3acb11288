#include "kindred/core/plugin.h"

#include "ilids_vid.h"
#include "mars.h"

KINDRED_PLUGIN("video", "1.0.0", "Data sets of tracklets: MARS and i-LIDS-VID") {
  catalog.add<kindred::video::IlidsVid>("ilids_vid");
  catalog.add<kindred::video::Mars>("mars");
}
