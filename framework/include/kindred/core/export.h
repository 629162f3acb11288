// Marks what the plugin API library exports. Everything else is hidden.
#pragma once

#define KINDRED_API __attribute__((visibility("default")))
