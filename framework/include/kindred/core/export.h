// What the kernel library shows to plugins; everything else is hidden.
#pragma once

#define KINDRED_API __attribute__((visibility("default")))
