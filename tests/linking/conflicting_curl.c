/* What a program brings along that has a libcurl of its own built in and exports it: the functions that libhc.so calls,
   without symbol versions, in front of everything else. None of them may be called. */
#include <stdlib.h>

#define CONFLICTING(name)                                 \
  __attribute__((visibility("default"))) void name(void); \
  void name(void) { abort(); }

CONFLICTING(curl_easy_cleanup)
CONFLICTING(curl_easy_init)
CONFLICTING(curl_easy_setopt)
CONFLICTING(curl_global_init)
CONFLICTING(curl_multi_add_handle)
CONFLICTING(curl_multi_init)
CONFLICTING(curl_multi_setopt)
CONFLICTING(curl_multi_socket_action)
CONFLICTING(curl_version_info)
