#include "kindred/core/plugin.h"

#include "person_folders.h"

KINDRED_PLUGIN("person_folders", "1.0.0", "One folder of images for each person") {
  catalog.add<kindred::person_folders::PersonFolders>("person_folders");
}
