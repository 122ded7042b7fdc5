// What the shared libraries export: everything that a public header declares
// in its `namespace LLMPROXY_API llmproxy`, and nothing else. Libraries are
// compiled with hidden visibility; without that the mark changes nothing.
#pragma once

#if defined(__GNUC__)
#define LLMPROXY_API [[gnu::visibility("default")]]
#else
#define LLMPROXY_API
#endif
