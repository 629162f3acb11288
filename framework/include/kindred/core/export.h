// Marks what a library exports. Everything else is hidden.
#pragma once

#define KINDRED_API __attribute__((visibility("default")))
