// Compiled once: LibTorch's headers take 20 seconds a file without this. Nothing may need it: the preset
// nopch builds without.
#pragma once

#include "torch_prelude.h"

#include <torch/torch.h>

#include <opencv2/core.hpp>
