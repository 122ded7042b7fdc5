// Version of the library, after Semantic Versioning.
#pragma once

#define LLMPROXY_VERSION_MAJOR 0
#define LLMPROXY_VERSION_MINOR 1
#define LLMPROXY_VERSION_PATCH 0
#define LLMPROXY_VERSION "0.1.0"
