// Marks the few internal headers of the core that the libraries above it
// include: in a shared build their functions must be exported as well. They
// are no interface; they change without notice, and no public header or
// installed file has them.
#pragma once

#include "llmproxy/export.h"

#define LLMPROXY_INTERNAL_BEGIN LLMPROXY_EXPORT_BEGIN
#define LLMPROXY_INTERNAL_END LLMPROXY_EXPORT_END
