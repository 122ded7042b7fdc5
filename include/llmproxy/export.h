// What the shared libraries export: everything that a public header declares
// between these two marks, and nothing else. Libraries are compiled with
// hidden visibility; without that the marks change nothing.
#pragma once

#if defined(__GNUC__)
#define LLMPROXY_EXPORT_BEGIN _Pragma("GCC visibility push(default)")
#define LLMPROXY_EXPORT_END _Pragma("GCC visibility pop")
#else
#define LLMPROXY_EXPORT_BEGIN
#define LLMPROXY_EXPORT_END
#endif
