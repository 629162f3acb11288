#include "kindred/core/plugin.h"

#include "folder.h"

KINDRED_PLUGIN("folder", "1.0.0", "Every image below a folder, without labels") {
  catalog.add<kindred::folder::Folder>("folder");
}
