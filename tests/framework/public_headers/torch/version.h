// Stands in for LibTorch's header: see ../CMakeLists.txt.
#pragma once

#define TORCH_VERSION_MAJOR 0
#define TORCH_VERSION_MINOR 0
#define TORCH_VERSION_PATCH 0
