// The version of Kindred, by semantic versioning (https://semver.org). The build reads it from here.
//
// Up to version 1.0 the second number rises when an application has to be compiled again or changed.
#pragma once

#define KINDRED_VERSION_MAJOR 0
#define KINDRED_VERSION_MINOR 1
#define KINDRED_VERSION_PATCH 0
#define KINDRED_VERSION "0.1.0"
/// For comparisons in the preprocessor: KINDRED_VERSION_NUMBER >= 100 is 0.1.0 or later.
#define KINDRED_VERSION_NUMBER \
  (KINDRED_VERSION_MAJOR * 10000 + KINDRED_VERSION_MINOR * 100 + KINDRED_VERSION_PATCH)
