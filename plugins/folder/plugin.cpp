#include "kindred/core/plugin.h"

#include "folder.h"

KINDRED_PLUGIN("folder", "1.0.0", "All images in a folder and its subfolders, without labels") {
  catalog.add<kindred::folder::Folder>("folder");
}
